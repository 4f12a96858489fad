#include "vision/models/manifest.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "vision/models/manifest_json.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "prismvid.model/1";
constexpr size_t kLargestManifest = 4 << 20;
constexpr int kDeepestNesting = 16;
constexpr size_t kMostFiles = 64;

const std::string& text_field(const json& object, const char* name, const fs::path& folder) {
  const auto field = object.find(name);
  check(
      field != object.end() && field->is_string() && !field->get_ref<const std::string&>().empty(),
      ErrorCode::kModel, "manifest in '", folder.string(), "': '", name,
      "' must be a non-empty string");
  return field->get_ref<const std::string&>();
}

/// A name that stays inside a folder and is not hidden.
bool is_plain_name(const std::string& name) {
  auto plain = [](unsigned char c) {
    return c > 31 && c != 127 && c != '/' && c != '\\' && c != ':';
  };
  return name.size() <= 128 && name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

ModelFile parse_file(const json& entry, const fs::path& folder, Checksums checksums) {
  check(entry.is_object(), ErrorCode::kModel, "manifest in '", folder.string(),
        "': each of 'files' must be an object");
  ModelFile file{text_field(entry, "name", folder), {}, {}};
  if (checksums == Checksums::kRequired || entry.contains("sha256"))
    file.sha256 = text_field(entry, "sha256", folder);
  if (entry.contains("url")) file.url = text_field(entry, "url", folder);
  check(is_plain_name(file.name) && file.name != "manifest.json", ErrorCode::kModel,
        "manifest in '", folder.string(), "': file name '", file.name,
        "' must be the plain name of a file in the model's folder");
  check(file.sha256.empty() || is_sha256(file.sha256), ErrorCode::kModel, "manifest in '",
        folder.string(), "': sha256 of '", file.name, "' must be 64 lower-case hexadecimal digits");
  return file;
}

void parse_files(const json& root, const fs::path& folder, Checksums checksums,
                 ModelManifest& manifest) {
  const auto files = root.find("files");
  check(files != root.end() && files->is_array() && !files->empty() && files->size() <= kMostFiles,
        ErrorCode::kModel, "manifest in '", folder.string(), "': 'files' must list 1 to ",
        kMostFiles, " files");
  for (const json& entry : *files) {
    ModelFile file = parse_file(entry, folder, checksums);
    for (const ModelFile& other : manifest.files)
      check(other.name != file.name, ErrorCode::kModel, "manifest in '", folder.string(),
            "': file '", file.name, "' is listed twice");
    manifest.files.push_back(std::move(file));
  }
}

}  // namespace

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

json parse_untrusted_json(const std::string& text) {
  // The depth is bounded because writing JSON back recurses.
  bool too_deep = false;
  json root = json::parse(
      text,
      [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kDeepestNesting;
        return !too_deep;
      },
      false);
  return too_deep ? json(json::value_t::discarded) : root;
}

std::string read_small_file(const fs::path& file, size_t most) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  check(!error, ErrorCode::kModel, "cannot read '", file.string(), "': ", error.message());
  check(size <= most, ErrorCode::kModel, "'", file.string(), "' is larger than ", most, " bytes");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  check(stream.good() || stream.eof(), ErrorCode::kModel, "cannot read '", file.string(), "'");
  return text.str();
}

ModelManifest parse_manifest_object(const json& root, const fs::path& folder, Checksums checksums) {
  check(root.is_object(), ErrorCode::kModel, "manifest in '", folder.string(),
        "' is not a JSON object of at most ", kDeepestNesting, " levels");
  check(text_field(root, "schema", folder) == kSchema, ErrorCode::kModel, "manifest in '",
        folder.string(), "': 'schema' must be \"", kSchema, "\"");
  ModelManifest manifest;
  manifest.folder = folder;
  manifest.id = text_field(root, "id", folder);
  check(is_plain_name(manifest.id), ErrorCode::kModel, "manifest in '", folder.string(), "': id '",
        manifest.id, "' must be a plain name, as it becomes a folder's");
  manifest.task = text_field(root, "task", folder);
  manifest.version = text_field(root, "version", folder);
  manifest.licence = text_field(root, "licence", folder);
  manifest.source = text_field(root, "source", folder);
  parse_files(root, folder, checksums, manifest);
  const auto parameters = root.find("parameters");
  check(parameters == root.end() || parameters->is_object(), ErrorCode::kModel, "manifest in '",
        folder.string(), "': 'parameters' must be an object");
  manifest.parameters =
      std::make_shared<const json>(parameters == root.end() ? json::object() : *parameters);
  return manifest;
}

ModelManifest parse_manifest(const std::string& text, const fs::path& folder) {
  check(text.size() <= kLargestManifest, ErrorCode::kModel, "manifest in '", folder.string(),
        "' is larger than ", kLargestManifest, " bytes");
  return parse_manifest_object(parse_untrusted_json(text), folder, Checksums::kRequired);
}

ModelManifest read_manifest(const fs::path& folder) {
  return parse_manifest(read_small_file(folder / "manifest.json", kLargestManifest), folder);
}

std::string manifest_text(const ModelManifest& manifest) {
  json files = json::array();
  for (const ModelFile& file : manifest.files) {
    files.push_back({{"name", file.name}, {"sha256", file.sha256}});
    if (!file.url.empty()) files.back()["url"] = file.url;
  }
  const json root = {{"schema", kSchema},
                     {"id", manifest.id},
                     {"task", manifest.task},
                     {"version", manifest.version},
                     {"licence", manifest.licence},
                     {"source", manifest.source},
                     {"files", files},
                     {"parameters", *manifest.parameters}};
  return root.dump(1) + "\n";
}

}  // namespace prismvid::vision
