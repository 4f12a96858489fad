#include "vision/models/manifest.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace prismvid::vision {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json valid() {
  return {{"schema", "prismvid.model/1"},
          {"id", "m"},
          {"task", "t"},
          {"version", "1"},
          {"licence", "MIT"},
          {"source", "s"},
          {"parameters", {{"x", 1}}},
          {"files",
           {{{"name", "a.onnx"},
             {"sha256", std::string(64, 'a')},
             {"url", "https://example.org/a.onnx"}}}}};
}

std::string problem(const std::string& text) {
  try {
    parse_manifest(text, "somewhere");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return {};
}

std::string problem_with(const std::string& pointer, const json& value) {
  json changed = valid();
  changed[json::json_pointer(pointer)] = value;
  return problem(changed.dump());
}

TEST(Manifest, ReadsEveryField) {
  const ModelManifest manifest = parse_manifest(valid().dump(), "/models/m");
  EXPECT_EQ(manifest.id, "m");
  EXPECT_EQ(manifest.licence, "MIT");
  EXPECT_EQ(manifest.path(), "/models/m/a.onnx");
  EXPECT_EQ(manifest.files[0].url, "https://example.org/a.onnx");
  EXPECT_EQ((*manifest.parameters)["x"], 1);
}

TEST(Manifest, IsReadBackAsWritten) {
  const ModelManifest manifest = parse_manifest(valid().dump(), "f");
  const ModelManifest again = parse_manifest(manifest_text(manifest), "f");
  EXPECT_EQ(manifest_text(again), manifest_text(manifest));
  EXPECT_EQ(again.content_hash(), manifest.content_hash());
}

TEST(Manifest, ContentHashFollowsFilesAndParametersOnly) {
  auto hash_with = [](const char* pointer, const json& value) {
    json changed = valid();
    changed[json::json_pointer(pointer)] = value;
    return parse_manifest(changed.dump(), "f").content_hash();
  };
  const std::string hash = parse_manifest(valid().dump(), "f").content_hash();
  EXPECT_NE(hash_with("/parameters/x", 2), hash);
  EXPECT_NE(hash_with("/files/0/sha256", std::string(64, 'b')), hash);
  EXPECT_EQ(hash_with("/licence", "BSD"), hash);
}

TEST(Manifest, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(problem(""), HasSubstr("JSON object"));
  EXPECT_THAT(problem("[]"), HasSubstr("JSON object"));
  EXPECT_THAT(problem(valid().dump().substr(0, 100)), HasSubstr("JSON object"));
  EXPECT_THAT(problem_with("/schema", "prismvid.model/2"), HasSubstr("prismvid.model/1"));
  for (const char* field : {"id", "task", "version", "licence", "source"}) {
    EXPECT_THAT(problem_with(std::string("/") + field, ""), HasSubstr(field));
    EXPECT_THAT(problem_with(std::string("/") + field, 7), HasSubstr(field));
  }
  EXPECT_THAT(problem_with("/files", json::array()), HasSubstr("'files'"));
  EXPECT_THAT(problem_with("/files/0", "a.onnx"), HasSubstr("'files'"));
  EXPECT_THAT(problem_with("/files/0/sha256", std::string(64, 'A')), HasSubstr("sha256"));
  EXPECT_THAT(problem_with("/files/0/sha256", std::string(63, 'a')), HasSubstr("sha256"));
  EXPECT_THAT(problem_with("/files/1", valid()["files"][0]), HasSubstr("twice"));
  EXPECT_THAT(problem_with("/parameters", json::array()), HasSubstr("'parameters'"));
}

TEST(Manifest, NoNameLeavesTheFolder) {
  for (const char* name :
       {"../a.onnx", "/etc/passwd", "a/b", "..", ".", ".hidden", "a\\b", "c:d", "manifest.json"})
    EXPECT_THAT(problem_with("/files/0/name", name), HasSubstr("plain name")) << name;
  EXPECT_THAT(problem_with("/files/0/name", std::string("a\0b", 3)), HasSubstr("file name"));
  for (const char* id : {"../m", "a/b", ".m"})
    EXPECT_THAT(problem_with("/id", id), HasSubstr("plain name")) << id;
}

TEST(Manifest, RefusesDeepNestingAndHugeText) {
  std::string deep = valid().dump();
  deep.back() = ',';
  deep += "\"more\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(problem(deep), HasSubstr("levels"));
  EXPECT_THAT(problem(std::string(5 << 20, ' ')), HasSubstr("larger"));
}

}  // namespace
}  // namespace prismvid::vision
