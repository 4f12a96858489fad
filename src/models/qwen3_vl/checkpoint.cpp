#include "models/qwen3_vl/checkpoint.h"

#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "nn/safetensors.h"

namespace prismvid::qwen3_vl {
namespace {

using Tensors = std::map<std::string, mx::array>;

std::vector<std::filesystem::path> weight_files(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> files;
  if (const auto index = read_json(folder / "model.safetensors.index.json")) {
    const auto map = index->find("weight_map");
    check(map != index->end() && map->is_object(), ErrorCode::kModel, folder.string(),
          ": model.safetensors.index.json has no weight_map");
    for (const auto& [tensor, file] : map->items()) {
      check(file.is_string(), ErrorCode::kModel, folder.string(), ": the weight_map entry of ",
            tensor, " is no file");
      const std::filesystem::path name = file.get<std::string>();
      check(name == name.filename(), ErrorCode::kModel, folder.string(), ": weight_map names ",
            name.string(), ", which leaves the folder");
      files.insert(folder / name);
    }
  } else {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".safetensors" &&
          !entry.path().filename().string().starts_with("consolidated"))
        files.insert(entry.path());
  }
  check(!files.empty(), ErrorCode::kModel, folder.string(), " holds no .safetensors files");
  for (const auto& file : files)
    check(std::filesystem::exists(file), ErrorCode::kModel, "the checkpoint lacks ", file.string(),
          "; download it again");
  return {files.begin(), files.end()};
}

// Buffers that old exports carry and nobody needs.
bool is_derived(const std::string& name) {
  return name.ends_with("rotary_emb.inv_freq");
}

// (hidden, 3, 2, 16, 16) of PyTorch or (hidden, 2, 16, 16, 3) of MLX -> (hidden, values), channels
// first.
mx::array patch_matrix(const mx::array& weight, const VisionConfig& vision) {
  if (weight.ndim() != 5) return weight;
  const bool channels_last =
      weight.shape(4) == vision.in_channels && weight.shape(1) == vision.temporal_patch_size;
  const mx::array rows = channels_last ? mx::transpose(weight, {0, 4, 1, 2, 3}) : weight;
  return mx::reshape(rows, {weight.shape(0), -1});
}

void arrange_patch_embedding(Tensors& tensors, const VisionConfig& vision) {
  const auto entry = tensors.find("model.visual.patch_embed.proj.weight");
  if (entry != tensors.end()) entry->second = patch_matrix(entry->second, vision);
}

class ExpertArranger {
 public:
  ExpertArranger(Tensors& tensors, const TextConfig& text) : tensors_(tensors), text_(text) {}

  void arrange_layer(int layer) {
    const std::string mlp = "model.language_model.layers." + std::to_string(layer) + ".mlp.";
    for (const char* name : {"gate_proj", "up_proj", "down_proj"})
      for (const char* leaf : {".weight", ".scales", ".biases"}) {
        rename(mlp + "experts." + name + leaf, mlp + "switch_mlp." + name + leaf);
        stack(mlp + "experts.", name + std::string(leaf), mlp + "switch_mlp." + name + leaf);
      }
    split_fused(mlp);
  }

 private:
  std::optional<mx::array> extract(const std::string& name) {
    auto node = tensors_.extract(name);
    if (node.empty()) return std::nullopt;
    return node.mapped();
  }

  void rename(const std::string& from, const std::string& to) {
    if (auto tensor = extract(from)) tensors_.emplace(to, *tensor);
  }

  // One tensor for each expert -> one for all.
  void stack(const std::string& experts, const std::string& leaf, const std::string& to) {
    if (!tensors_.contains(experts + "0." + leaf)) return;
    std::vector<mx::array> parts;
    for (int i = 0; i < text_.experts->experts; ++i) {
      auto part = extract(experts + std::to_string(i) + "." + leaf);
      check(part.has_value() && (parts.empty() || part->shape() == parts[0].shape()),
            ErrorCode::kModel, "the checkpoint lacks ", experts, i, ".", leaf,
            " or it has another shape than the other experts'");
      parts.push_back(*part);
    }
    tensors_.emplace(to, mx::stack(parts));
  }

  // gate_up_proj (experts, hidden, 2 * inner) and down_proj (experts, inner, hidden) of
  // transformers 4.57, or both with their last two axes exchanged as 5.x writes them. Where one is
  // square, the other tells.
  void split_fused(const std::string& mlp) {
    auto gate_up = extract(mlp + "experts.gate_up_proj");
    auto down = extract(mlp + "experts.down_proj");
    if (!gate_up || !down) return;
    const int hidden = text_.hidden_size, inner = text_.experts->intermediate_size,
              count = text_.experts->experts;
    const bool in_first = hidden != inner ? down->shape(1) == inner : gate_up->shape(1) == hidden;
    const mx::Shape fused =
        in_first ? mx::Shape{count, hidden, 2 * inner} : mx::Shape{count, 2 * inner, hidden};
    const mx::Shape single =
        in_first ? mx::Shape{count, inner, hidden} : mx::Shape{count, hidden, inner};
    check(gate_up->shape() == fused && down->shape() == single, ErrorCode::kModel,
          "the checkpoint's ", mlp, "experts are not of ", count, " experts of ", inner,
          " for a width of ", hidden);
    if (in_first) {
      gate_up = mx::contiguous(mx::swapaxes(*gate_up, 1, 2));
      down = mx::contiguous(mx::swapaxes(*down, 1, 2));
    }
    const auto halves = mx::split(*gate_up, 2, 1);
    tensors_.emplace(mlp + "switch_mlp.gate_proj.weight", halves[0]);
    tensors_.emplace(mlp + "switch_mlp.up_proj.weight", halves[1]);
    tensors_.emplace(mlp + "switch_mlp.down_proj.weight", *down);
  }

  Tensors& tensors_;
  const TextConfig& text_;
};

Tensors read_tensors(const std::filesystem::path& folder, uint64_t& bytes) {
  Tensors tensors;
  for (const auto& path : weight_files(folder)) {
    const nn::SafetensorsFile file(path);
    for (const auto& [name, entry] : file.tensors()) {
      if (is_derived(name)) continue;
      bytes += entry.end - entry.begin;
      const bool is_new = tensors.emplace(canonical_name(name), file.array(name)).second;
      check(is_new, ErrorCode::kModel, path.string(), ": the tensor ", name,
            " stands in the checkpoint twice");
    }
  }
  return tensors;
}

}  // namespace

std::string canonical_name(const std::string& name) {
  static const std::pair<const char*, const char*> prefixes[] = {
      {"model.language_model.", "model.language_model."},
      {"language_model.model.", "model.language_model."},
      {"language_model.lm_head", "lm_head"},
      {"model.visual.", "model.visual."},
      {"vision_tower.", "model.visual."},
      {"model.vision_tower.", "model.visual."},
      {"visual.", "model.visual."},
      {"model.", "model.language_model."}};
  for (const auto& [from, to] : prefixes)
    if (name.starts_with(from)) return to + name.substr(std::char_traits<char>::length(from));
  return name;
}

Checkpoint open_checkpoint(const std::filesystem::path& folder) {
  check(std::filesystem::is_directory(folder), ErrorCode::kNotFound, folder.string(),
        " is no folder of a checkpoint");
  const auto file = read_json(folder / "config.json");
  check(file.has_value(), ErrorCode::kModel, folder.string(), " holds no config.json");
  Checkpoint checkpoint{folder, parse_config(*file), {}, {}, 0};
  checkpoint.quantization = nn::QuantizationTable::parse(*file, canonical_name);
  checkpoint.tensors = read_tensors(folder, checkpoint.bytes);
  arrange_patch_embedding(checkpoint.tensors, checkpoint.config.vision);
  if (checkpoint.config.text.experts) {
    ExpertArranger arranger(checkpoint.tensors, checkpoint.config.text);
    for (int layer = 0; layer < checkpoint.config.text.layers; ++layer)
      arranger.arrange_layer(layer);
  }
  if (checkpoint.config.tied_head)
    for (const char* leaf : {"weight", "scales", "biases"})
      checkpoint.tensors.erase(std::string("lm_head.") + leaf);
  return checkpoint;
}

}  // namespace prismvid::qwen3_vl
