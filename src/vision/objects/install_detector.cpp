#include "vision/objects/install_detector.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sha256.h"
#include "vision/objects/object_detector.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kMostClasses = 100'000;

/// Height and width of the first input that is a picture; throws where the file leaves them open.
Size declared_input_size(const fs::path& file) {
  const auto network = load_network(file);
  for (size_t i = 0; i < network->input_names().size(); ++i) {
    const Shape shape = network->input_shape(i);
    if (shape.size() == 4 && shape[2] > 0 && shape[3] > 0)
      return {static_cast<int>(shape[3]), static_cast<int>(shape[2])};
  }
  fail(ErrorCode::kModel, "'", file.string(),
       "' does not fix the size of its picture: give it with --input-size WxH");
}

bool is_address(const std::string& source) {
  return source.starts_with("https://") || source.starts_with("http://") ||
         source.starts_with("file://");
}

/// The file behind an address, in a hidden folder of its own.
fs::path fetched(const fs::path& models, const std::string& address,
                 const InstallOptions& options) {
  check(!models.empty(), ErrorCode::kUnavailable,
        "there is no folder to install models in: give one with --models");
  const fs::path folder = models / (".download-" + sha256_hex(address).substr(0, 16));
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, ErrorCode::kUnavailable, "cannot make '", folder.string(), "': ", error.message());
  const fs::path file = folder / address.substr(address.rfind('/') + 1);
  check(file.extension() == ".onnx", ErrorCode::kInvalidArgument, "'", address,
        "' is not the address of an .onnx file");
  download(address, file, options.transfer);
  return file;
}

ModelManifest manifest_for(const fs::path& file, const DetectorFileOptions& detector) {
  const Size size = detector.input_size.width > 0 ? detector.input_size : declared_input_size(file);
  json parameters = {{"decoder", detector.decoder},
                     {"input", {{"width", size.width}, {"height", size.height}}},
                     {"classes", "coco"}};
  if (!detector.classes.empty()) parameters["classes"] = detector.classes;
  if (detector.decoded) parameters["decoded"] = true;
  ModelManifest manifest;
  manifest.id = detector.id.empty() ? file.stem().string() : detector.id;
  manifest.task = "object_detection";
  manifest.version = "1";
  manifest.licence = detector.licence;
  manifest.source = file.filename().string();
  manifest.files = {{file.filename().string(), sha256_file(file), {}}};
  manifest.folder = file.parent_path();
  manifest.parameters = std::make_shared<const json>(parameters);
  return parse_manifest(manifest_text(manifest), manifest.folder);
}

}  // namespace

std::vector<std::string> read_class_names(const fs::path& file) {
  std::ifstream stream(file);
  check(stream.is_open(), ErrorCode::kNotFound, "cannot open the list of classes '", file.string(),
        "'");
  std::vector<std::string> names;
  for (std::string line; std::getline(stream, line) && names.size() < kMostClasses;) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  check(!names.empty(), ErrorCode::kModel, "the list of classes '", file.string(),
        "' is empty: one name a line");
  return names;
}

ModelManifest install_detector(const ModelRegistry& registry, const std::string& source,
                               const DetectorFileOptions& detector, const InstallOptions& options) {
  check(!detector.decoder.empty(), ErrorCode::kInvalidArgument, "'", source,
        "' needs --decoder yolox, rtdetr or dfine");
  fs::path file = source;
  if (is_address(source)) {
    check(!options.sha256.empty() || options.trust, ErrorCode::kModel, "'", source,
          "' comes without a checksum: give it with --sha256, or take the file as it comes with "
          "--trust");
    file = fetched(registry.install_folder(), source, options);
  }
  std::error_code error;
  check(fs::is_regular_file(file, error), ErrorCode::kNotFound, "no model file '", file.string(),
        "'");
  ModelManifest manifest = manifest_for(fs::absolute(file), detector);
  if (is_address(source)) manifest.source = manifest.files.front().url = source;
  ObjectDetector trial(manifest);
  trial.detect(Image(64, 64, 3));
  return install_manifest(registry, manifest, options);
}

}  // namespace prismvid::vision
