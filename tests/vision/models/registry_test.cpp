#include <gmock/gmock.h>

#include "core/error.h"
#include "model_folder.h"
#include "vision/models/install.h"
#include "vision/models/manifest.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ModelRegistryTest : public ModelFolder {
 protected:
  std::string problem(const std::string& id) {
    try {
      ModelRegistry({folder_}).require("object_detection", id);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      return error.what();
    }
    return {};
  }
};

TEST_F(ModelRegistryTest, FindsModelsByTaskAndIdAndEarlierFoldersWin) {
  make_model(folder_ / "a", "one", "first");
  make_model(folder_ / "b", "one", "second");
  make_model(folder_ / "b", "two");
  const ModelRegistry registry({folder_ / "a", folder_ / "missing", folder_ / "b"});
  ASSERT_EQ(registry.models().size(), 2u);
  EXPECT_EQ(registry.find("object_detection")->folder, folder_ / "a/one");
  EXPECT_EQ(registry.find("object_detection", "two")->id, "two");
  EXPECT_FALSE(registry.find("object_detection", "three"));
  EXPECT_FALSE(registry.find("text_detection"));
  EXPECT_EQ(registry.install_folder(), folder_ / "a");
}

TEST_F(ModelRegistryTest, KeepsDamagedManifestsAsProblemsAndSkipsInstallationsUnderWay) {
  make_model(folder_, "good");
  write(folder_ / "bad/manifest.json", "{");
  write(folder_ / ".install-x/manifest.json", "{");
  const ModelRegistry registry({folder_});
  EXPECT_EQ(registry.models().size(), 1u);
  ASSERT_EQ(registry.problems().size(), 1u);
  EXPECT_THAT(registry.problems()[0], HasSubstr("bad"));
}

TEST_F(ModelRegistryTest, AMissingModelIsToldWithTheCommand) {
  EXPECT_THAT(problem(""), HasSubstr("prismvid models install"));
  EXPECT_THAT(problem("nothing"), HasSubstr("'nothing'"));
}

TEST_F(ModelRegistryTest, AWrongFileIsToldWithTheCommandThatMends) {
  const fs::path model = make_model(folder_, "m");
  EXPECT_EQ(problem("m"), "");
  write(model / "model.onnx", "WEIGHTS");  // same size, and it was found right before
  EXPECT_THAT(problem("m"), HasSubstr("prismvid models install m"));
  EXPECT_THAT(problem("m"), HasSubstr(sha256_hex("WEIGHTS")));
  fs::remove(model / "model.onnx");
  EXPECT_THAT(problem("m"), HasSubstr("model.onnx"));
}

TEST_F(ModelRegistryTest, AChangeWithTheTimeSetBackIsStillSeen) {
  const fs::path model = make_model(folder_, "m");
  EXPECT_EQ(problem("m"), "");
  const auto time = fs::last_write_time(model / "model.onnx");
  write(model / "model.onnx", "WEIGHTS");
  fs::last_write_time(model / "model.onnx", time);
  EXPECT_THAT(problem("m"), HasSubstr("sha256"));
}

TEST_F(ModelRegistryTest, DoesNotReadAFileAgainThatHasNotChanged) {
  const fs::path model = make_model(folder_, "m");
  EXPECT_EQ(problem("m"), "");
  const std::string memory = read(model / ".verified.json");
  EXPECT_THAT(memory, HasSubstr(sha256_hex("weights")));
  write(model / "manifest.json", manifest("m", "other").dump());
  EXPECT_THAT(problem("m"), HasSubstr("sha256"));
  // A memory that wrongly vouches for the checksum is believed: the file was not read. `check`
  // reads it all the same.
  std::string forged = memory;
  forged.replace(forged.find(sha256_hex("weights")), 64, sha256_hex("other"));
  write(model / ".verified.json", forged);
  EXPECT_EQ(problem("m"), "");
  EXPECT_THAT(check_models(ModelRegistry({folder_}))[0].problem, HasSubstr("sha256"));
}

TEST_F(ModelRegistryTest, ADamagedMemoryIsIgnored) {
  const fs::path model = make_model(folder_, "m");
  for (const char* memory :
       {"", "[]", "{\"model.onnx\": 7}", "{\"model.onnx\": {\"identity\": null}}"}) {
    write(model / ".verified.json", memory);
    EXPECT_EQ(problem("m"), "") << memory;
  }
}

TEST_F(ModelRegistryTest, CheckReadsEveryModel) {
  make_model(folder_, "good");
  write(make_model(folder_, "wrong") / "model.onnx", "changed");
  const auto checks = check_models(ModelRegistry({folder_}));
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].problem, "");
  EXPECT_THAT(checks[1].problem, HasSubstr("sha256"));
}

}  // namespace
}  // namespace prismvid::vision
