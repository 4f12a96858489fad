#include "models/qwen3_vl/convert.h"

#include <cstdio>
#include <fstream>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "models/qwen3_vl/checkpoint.h"
#include "nn/mlx.h"

namespace prismvid::qwen3_vl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kShardBytes = uint64_t{5} << 30;
constexpr std::string_view kVision = "model.visual.", kText = "model.language_model.";

std::string community_name(const std::string& name) {
  if (name.starts_with(kVision)) return "vision_tower." + name.substr(kVision.size());
  if (name.starts_with(kText)) return "language_model.model." + name.substr(kText.size());
  return "language_model." + name;  // lm_head
}

// (hidden, channels * time * y * x) -> (hidden, time, y, x, channels)
mx::array patch_kernel(const mx::array& matrix, const VisionConfig& vision) {
  const int side = vision.patch_size;
  const mx::array kernel = mx::reshape(
      matrix, {matrix.shape(0), vision.in_channels, vision.temporal_patch_size, side, side});
  return mx::contiguous(mx::transpose(kernel, {0, 2, 3, 4, 1}));
}

bool is_quantizable(const std::string& name, const mx::array& tensor,
                    const ConvertOptions& options) {
  return options.bits > 0 && !name.starts_with(kVision) && name.ends_with(".weight") &&
         tensor.ndim() >= 2 && tensor.shape(-1) % options.group_size == 0;
}

// Writes tensors to numbered files of at most kShardBytes, each as soon as it is full.
class ShardWriter {
 public:
  ShardWriter(fs::path folder, std::function<void(const std::string&)> progress)
      : folder_(std::move(folder)), progress_(std::move(progress)) {}

  void add(const std::string& name, const mx::array& tensor) {
    if (bytes_ > 0 && bytes_ + tensor.nbytes() > kShardBytes) flush();
    bytes_ += tensor.nbytes();
    total_ += tensor.nbytes();
    shard_.emplace(name, tensor);
  }

  // The number of files goes into their names, so they are named at the end.
  int finish() {
    flush();
    json map = json::object();
    const int count = static_cast<int>(names_.size());
    for (int i = 0; i < count; ++i) {
      const std::string file = count == 1 ? "model.safetensors" : numbered(i + 1, count);
      fs::rename(folder_ / part(i), folder_ / file);
      for (const std::string& name : names_[i]) map[name] = file;
    }
    const json index{{"metadata", {{"total_size", total_}}}, {"weight_map", map}};
    std::ofstream(folder_ / "model.safetensors.index.json") << index.dump(4) << "\n";
    return count;
  }

  uint64_t total() const { return total_; }

 private:
  static std::string part(int i) { return "part-" + std::to_string(i) + ".safetensors"; }

  static std::string numbered(int i, int count) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", i, count);
    return name;
  }

  void flush() {
    if (shard_.empty()) return;
    const std::string file = part(static_cast<int>(names_.size()));
    names_.emplace_back();
    for (const auto& [name, tensor] : shard_) names_.back().push_back(name);
    mx::save_safetensors((folder_ / file).string(), shard_, {{"format", "mlx"}});
    shard_.clear();
    bytes_ = 0;
    mx::clear_cache();
    if (progress_) progress_(file);
  }

  fs::path folder_;
  std::function<void(const std::string&)> progress_;
  std::unordered_map<std::string, mx::array> shard_;
  std::vector<std::vector<std::string>> names_;
  uint64_t bytes_ = 0;
  uint64_t total_ = 0;
};

// In the form of transformers 4.57, which mlx-vlm reads too.
json community_config(const Config& config, const ConvertOptions& options) {
  json file = config.file;
  json& text = file["text_config"];
  if (const auto rope = text.find("rope_parameters"); rope != text.end()) {
    json scaling = *rope;
    scaling.erase("rope_theta");
    text["rope_scaling"] = scaling;
    text["rope_theta"] = config.text.rope_theta;
    text.erase("rope_parameters");
  }
  if (text.contains("num_local_experts")) text["num_experts"] = text["num_local_experts"];
  text["tie_word_embeddings"] = config.tied_head;
  file["vision_config"]["model_type"] = file["model_type"];
  if (options.bits > 0) {
    file["quantization"] = {
        {"group_size", options.group_size}, {"bits", options.bits}, {"mode", options.mode}};
    file["quantization_config"] = file["quantization"];
  }
  return file;
}

void copy_other_files(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path name = entry.path().filename();
    const fs::path kind = name.extension();
    const bool wanted = kind == ".json" || kind == ".txt" || kind == ".jinja" || kind == ".md";
    if (wanted && entry.is_regular_file() && name != "config.json" &&
        name != "model.safetensors.index.json")
      fs::copy_file(entry.path(), to / name, fs::copy_options::overwrite_existing);
  }
}

// Modes other than affine come in one form only.
ConvertOptions settled(ConvertOptions options) {
  const nn::Quantization usual = nn::usual_quantization(options.mode);
  if (options.mode != "affine" && options.bits != 0)
    options.bits = usual.bits, options.group_size = usual.group_size;
  return options;
}

void check_convert(const Checkpoint& checkpoint, const fs::path& to,
                   const ConvertOptions& options) {
  const bool known_bits = options.mode != "affine" || options.bits == 0 ||
                          (options.bits >= 2 && options.bits <= 8 && options.bits != 7);
  const bool known_group = options.mode != "affine" || options.group_size == 32 ||
                           options.group_size == 64 || options.group_size == 128;
  check(known_bits && known_group, ErrorCode::kInvalidArgument, "convert: ", options.bits,
        " bits in groups of ", options.group_size,
        " cannot be; bits are 2, 3, 4, 5, 6 or 8, groups 32, 64 or 128");
  check(!fs::exists(to) || fs::is_empty(to), ErrorCode::kInvalidArgument, "convert: ", to.string(),
        " is there already and not empty");
  for (const auto& [name, tensor] : checkpoint.tensors)
    check(!name.ends_with(".scales"), ErrorCode::kModel, checkpoint.folder.string(),
          " is quantised already; convert starts from a bf16, f16 or f32 checkpoint");
}

}  // namespace

ConvertResult convert_checkpoint(const fs::path& from, const fs::path& to,
                                 const ConvertOptions& asked,
                                 const std::function<void(const std::string& file)>& progress) {
  const mx::StreamContext on_cpu(mx::Device::cpu);  // the same files wherever they are made
  const ConvertOptions options = settled(asked);
  const Checkpoint checkpoint = open_checkpoint(from);
  check_convert(checkpoint, to, options);
  fs::create_directories(to);
  ShardWriter writer(to, progress);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::string path = community_name(name);
    if (is_quantizable(name, tensor, options)) {
      const auto packed = mx::quantize(tensor, options.group_size, options.bits, options.mode);
      const std::string module = path.substr(0, path.size() - std::string_view("weight").size());
      writer.add(path, packed[0]);
      writer.add(module + "scales", packed[1]);
      if (packed.size() > 2) writer.add(module + "biases", packed[2]);
    } else if (name == "model.visual.patch_embed.proj.weight") {
      writer.add(path, patch_kernel(tensor, checkpoint.config.vision));
    } else {
      writer.add(path, tensor);
    }
  }
  copy_other_files(from, to);
  ConvertResult result{checkpoint.bytes, writer.total(), writer.finish()};
  std::ofstream(to / "config.json") << community_config(checkpoint.config, options).dump(4) << "\n";
  return result;
}

}  // namespace prismvid::qwen3_vl
