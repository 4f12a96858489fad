#include "vision/models/install.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "model_folder.h"
#include "vision/objects/install_detector.h"
#include "vision/objects/object_detector.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class InstallTest : public ModelFolder {
 protected:
  ModelRegistry registry() const { return ModelRegistry({folder_ / "installed"}); }

  template <typename Action>
  ErrorCode failure(Action action) {
    try {
      action();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    return ErrorCode::kInternal;
  }

  /// Nothing but downloads to go on with may be left.
  void expect_nothing_installed() {
    EXPECT_TRUE(registry().models().empty());
    EXPECT_TRUE(registry().problems().empty());
    for (const auto& entry : fs::directory_iterator(folder_ / "installed"))
      EXPECT_TRUE(entry.path().filename().string().starts_with(".download-")) << entry.path();
  }

  /// A manifest without its file, which lies at another place.
  fs::path remote_model(const std::string& content) {
    write(folder_ / "upstream/weights.bin", content);
    json remote = manifest("remote", content);
    remote["files"][0]["url"] = "file://" + (folder_ / "upstream/weights.bin").string();
    write(folder_ / "remote/manifest.json", remote.dump());
    return folder_ / "remote";
  }

  InstallOptions from(const std::string& content) {
    write(folder_ / "mirror.onnx", content);
    InstallOptions options;
    options.url = "file://" + (folder_ / "mirror.onnx").string();
    return options;
  }

  std::string message_;
};

TEST_F(InstallTest, CopiesAModelFromAFolderOrItsManifest) {
  const fs::path model = make_model(folder_ / "given", "m");
  for (const fs::path& source : {model, model / "manifest.json"}) {
    fs::remove_all(folder_ / "installed");
    const ModelManifest installed = install_model(registry(), source.string());
    EXPECT_EQ(installed.folder, folder_ / "installed/m");
    EXPECT_EQ(registry().require("object_detection", "m").id, "m");
    EXPECT_EQ(read(installed.path()), "weights");
  }
}

TEST_F(InstallTest, ReplacesAModelOfTheSameId) {
  install_model(registry(), make_model(folder_ / "a", "m", "old").string());
  write(folder_ / "installed/m/model.onnx", "damaged");
  EXPECT_THROW(registry().require("object_detection", "m"), Error);
  install_model(registry(), make_model(folder_ / "b", "m", "new").string());
  EXPECT_EQ(read(registry().require("object_detection", "m").path()), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "installed"), {}), 1);
}

TEST_F(InstallTest, AWrongChecksumInstallsNothing) {
  const fs::path model = make_model(folder_ / "given", "m");
  write(model / "model.onnx", "changed");
  EXPECT_EQ(failure([&] { install_model(registry(), model.string()); }), ErrorCode::kModel);
  EXPECT_THAT(message_, HasSubstr(sha256_hex("changed")));
  expect_nothing_installed();
}

TEST_F(InstallTest, AFailedReplacementKeepsTheOldModel) {
  install_model(registry(), make_model(folder_ / "a", "m", "old").string());
  const fs::path wrong = make_model(folder_ / "b", "m", "new");
  write(wrong / "model.onnx", "changed");
  EXPECT_EQ(failure([&] { install_model(registry(), wrong.string()); }), ErrorCode::kModel);
  EXPECT_EQ(read(registry().require("object_detection", "m").path()), "old");
}

TEST_F(InstallTest, FetchesFilesFromTheirAddress) {
  const ModelManifest installed =
      install_model(registry(), remote_model("remote weights").string());
  EXPECT_EQ(read(installed.path()), "remote weights");
  EXPECT_EQ(registry().require("object_detection").id, "remote");
}

TEST_F(InstallTest, AnAddressOnTheCommandLineGoesBeforeTheManifests) {
  const fs::path model = remote_model("remote weights");
  fs::remove(folder_ / "upstream/weights.bin");
  EXPECT_EQ(failure([&] { install_model(registry(), model.string()); }), ErrorCode::kUnavailable);
  expect_nothing_installed();
  EXPECT_EQ(read(install_model(registry(), model.string(), from("remote weights")).path()),
            "remote weights");
}

TEST_F(InstallTest, AFileWithoutAnAddressMustLieBesideTheManifest) {
  write(folder_ / "m/manifest.json", manifest("m", "x").dump());
  EXPECT_EQ(failure([&] { install_model(registry(), (folder_ / "m").string()); }),
            ErrorCode::kModel);
  EXPECT_THAT(message_, HasSubstr("--url"));
}

TEST_F(InstallTest, AnUnverifiedModelOfTheCatalogueNeedsAChecksumOrTrust) {
  InstallOptions options = from("somebody's weights");
  fs::create_directories(folder_ / "installed");
  EXPECT_EQ(failure([&] { install_model(registry(), "rtdetr-r18", options); }), ErrorCode::kModel);
  EXPECT_THAT(message_, HasSubstr("--sha256"));
  expect_nothing_installed();
  options.sha256 = sha256_hex("something else");
  EXPECT_EQ(failure([&] { install_model(registry(), "rtdetr-r18", options); }), ErrorCode::kModel);
  expect_nothing_installed();
  options.sha256.clear();
  options.trust = true;
  EXPECT_EQ(install_model(registry(), "rtdetr-r18", options).files[0].sha256,
            sha256_hex("somebody's weights"));
  EXPECT_EQ(registry().require("object_detection").id, "rtdetr-r18");
}

TEST_F(InstallTest, TrustDoesNotOverrideAChecksumThatIsStated) {
  InstallOptions options = from("somebody's weights");
  options.trust = true;
  EXPECT_EQ(failure([&] { install_model(registry(), "yolox-tiny", options); }), ErrorCode::kModel);
  expect_nothing_installed();
}

TEST_F(InstallTest, AnUnknownSourceNamesTheKnownModels) {
  EXPECT_EQ(failure([&] { install_model(registry(), "yolo"); }), ErrorCode::kNotFound);
  EXPECT_THAT(message_, HasSubstr("yolox-tiny"));
}

class InstallDetectorTest : public InstallTest {
 protected:
  static std::string detector(const std::string& name) {
    return std::string(TEST_DETECTORS) + "/" + name;
  }
};

TEST_F(InstallDetectorTest, WritesTheManifestOfABareFile) {
  write(folder_ / "names.txt", "first\nsecond\r\n\nthird\n");
  DetectorFileOptions options;
  options.decoder = "yolox";
  options.classes = read_class_names(folder_ / "names.txt");
  options.id = "squares";
  install_detector(registry(), detector("yolox_raw.onnx"), options);
  ObjectDetector installed(registry().require("object_detection", "squares"));
  EXPECT_EQ(installed.classes(), (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_TRUE(installed.detect(Image(64, 64, 3)).empty());
}

TEST_F(InstallDetectorTest, FetchesABareFileFromAnAddress) {
  const std::string address = "file://" + detector("detr_boxes.onnx");
  DetectorFileOptions options;
  options.decoder = "dfine";
  options.classes = {"a", "b", "c"};
  EXPECT_EQ(failure([&] { install_detector(registry(), address, options); }), ErrorCode::kModel);
  EXPECT_THAT(message_, HasSubstr("--sha256"));
  InstallOptions trusting;
  trusting.trust = true;
  EXPECT_EQ(install_detector(registry(), address, options, trusting).id, "detr_boxes");
  EXPECT_EQ(registry().require("object_detection").files[0].url, address);
}

TEST_F(InstallDetectorTest, TellsAtOnceWhatDoesNotFit) {
  DetectorFileOptions options;
  auto install = [&](const char* name) {
    return failure([&] { install_detector(registry(), detector(name), options); });
  };
  EXPECT_EQ(install("yolox_raw.onnx"), ErrorCode::kInvalidArgument);
  options.decoder = "yolox";
  EXPECT_EQ(install("yolox_raw.onnx"), ErrorCode::kModel);
  EXPECT_THAT(message_, HasSubstr("'classes'"));
  EXPECT_EQ(install("missing.onnx"), ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ / "installed"));
}

}  // namespace
}  // namespace prismvid::vision
