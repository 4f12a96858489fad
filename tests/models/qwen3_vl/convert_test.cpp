#include "models/qwen3_vl/convert.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "core/error.h"
#include "core/sha256.h"
#include "models/qwen3_vl/tiny_model.h"
#include "nn/safetensors.h"

namespace prismvid::qwen3_vl {
namespace {

namespace fs = std::filesystem;

fs::path empty_folder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("prismvid_convert_" + name);
  fs::remove_all(folder);
  return folder;
}

std::string sha256_of(const mx::array& tensor) {
  mx::array flat = mx::contiguous(tensor);
  mx::eval(flat);
  return sha256_hex(
      std::string_view(reinterpret_cast<const char*>(flat.data<uint8_t>()), flat.nbytes()));
}

// One hash over the names and hashes of all tensors, as tools/parity/quantized.py.
std::string digest(const fs::path& folder) {
  const nn::SafetensorsFile file(folder / "model.safetensors");
  std::string lines;
  for (const auto& [name, entry] : file.tensors())
    lines += name + ":" + sha256_of(file.array(name)) + "\n";
  return sha256_hex(lines);
}

TEST(Convert, EqualsMlxVlmBitForBitAndItsLogits) {
  const auto hashes = *read_json(kGolden / "quantized" / "hashes.json");
  const nn::SafetensorsFile golden(kGolden / "quantized" / "golden.bin");
  ASSERT_EQ(hashes.size(), 15u);
  for (const auto& [name, entry] : hashes.items()) {
    const fs::path folder = empty_folder(name);
    convert_checkpoint(kGolden / "models" / entry["kind"].get<std::string>(), folder,
                       {entry["bits"].get<int>(), entry["group_size"].get<int>(),
                        entry["quantization"]["mode"].get<std::string>()});
    EXPECT_EQ(digest(folder), entry["sha256"].get<std::string>()) << name;

    const Model model = Model::load(folder, {mx::float32});
    const Case text = golden_cases(model)[0];
    Sequence sequence = model.begin(text.prompt);
    const mx::array logits = prefill_logits(model, sequence, text, std::nullopt, 1 << 20, 4);
    const mx::array expected = golden.array(name + ".logits");
    EXPECT_GT(cosine(logits, expected), 0.9999f) << name;
    EXPECT_EQ(to_ints(mx::argmax(logits, -1)), to_ints(mx::argmax(expected, -1))) << name;
    RecordProperty(name, scientific(relative_error(logits, expected)));
  }
}

TEST(Convert, AQuantisedModelStillSeesAsTheDequantisedOne) {
  const fs::path folder = empty_folder("eight_bits");
  const ConvertResult result =
      convert_checkpoint(kGolden / "models" / "dense_untied", folder, {8, 32});
  EXPECT_LT(result.bytes_after, result.bytes_before);
  EXPECT_EQ(result.files, 1);
  const Model model = Model::load(folder, {mx::float32});
  const Case one = golden_cases(model)[4];
  Sequence sequence = model.begin(one.prompt);
  const mx::array logits = prefill_logits(model, sequence, one, encode_all(model, one), 64, 4);
  EXPECT_GT(cosine(logits, goldens("dense_untied").at(one.name + ".logits")), 0.995f);
}

// The matrices of a checkpoint packed as its config.json says, each path by its own entry; on the
// CPU, as the reference's were.
std::unordered_map<std::string, mx::array> packed_by_paths(const fs::path& source,
                                                           const nlohmann::json& paths) {
  std::unordered_map<std::string, mx::array> packed;
  for (const auto& [name, tensor] :
       mx::load_safetensors((source / "model.safetensors").string()).first) {
    const std::string path = name.substr(0, name.rfind('.'));
    const auto entry = name.ends_with(".weight") ? paths.find(path) : paths.end();
    if (entry == paths.end()) {
      packed.emplace(name, tensor);
      continue;
    }
    const auto parts =
        mx::quantize(tensor, entry->at("group_size").get<int>(), entry->at("bits").get<int>(),
                     entry->at("mode").get<std::string>(), std::nullopt, mx::Device::cpu);
    for (size_t i = 0; i < parts.size(); ++i)
      packed.emplace(path + std::array{".weight", ".scales", ".biases"}[i], parts[i]);
  }
  return packed;
}

TEST(Convert, MixedPathsAndAQuantisedTowerEqualMlxVlm) {
  const auto mixed = *read_json(kGolden / "quantized" / "mixed.json");
  const nn::SafetensorsFile golden(kGolden / "quantized" / "golden.bin");
  for (const auto& [kind, paths] : mixed.items()) {
    const fs::path folder = empty_folder("mixed_" + kind);
    fs::copy(kGolden / "models" / kind, folder);
    auto config = *read_json(folder / "config.json");
    config["quantization"] = paths;
    config["quantization"].update({{"group_size", 64}, {"bits", 4}});
    std::ofstream(folder / "config.json") << config.dump();
    fs::remove(folder / "model.safetensors");
    mx::save_safetensors((folder / "model.safetensors").string(),
                         packed_by_paths(kGolden / "models" / kind, paths));
    const Model model = Model::load(folder, {mx::float32});
    const Case image = golden_cases(model)[1];
    Sequence sequence = model.begin(image.prompt);
    const mx::array logits =
        prefill_logits(model, sequence, image, encode_all(model, image), 1 << 20, 4);
    const mx::array expected = golden.array(kind + "_mixed.logits");
    EXPECT_GT(cosine(logits, expected), 0.9999f) << kind;
    EXPECT_EQ(to_ints(mx::argmax(logits, -1)), to_ints(mx::argmax(expected, -1))) << kind;
    RecordProperty(kind, scientific(relative_error(logits, expected)));
  }
}

TEST(Convert, ExpertsInBfloat16RunOnACpu) {
  const Model model = Model::load(kGolden / "models" / "moe", {mx::bfloat16});
  for (const Case& one : golden_cases(model)) {
    Sequence sequence = model.begin(one.prompt);
    const mx::array logits = prefill_logits(model, sequence, one, encode_all(model, one), 7, 4);
    // Rounded activations send some tokens to other experts.
    EXPECT_GT(cosine(logits, goldens("moe").at(one.name + ".logits")), 0.97f) << one.name;
  }
}

TEST(Convert, InfersBitsThatTheConfigDoesNotTell) {
  const fs::path folder = empty_folder("silent");
  convert_checkpoint(kGolden / "models" / "dense_tied", folder, {6, 64});
  auto config = *read_json(folder / "config.json");
  const auto before = Model::load(folder).weight_bytes();
  config.erase("quantization");
  config.erase("quantization_config");
  std::ofstream(folder / "config.json") << config.dump();
  EXPECT_EQ(Model::load(folder).weight_bytes(), before);
}

TEST(Convert, RefusesWhatCannotBe) {
  const fs::path source = kGolden / "models" / "dense_tied";
  EXPECT_THROW(convert_checkpoint(source, empty_folder("a"), {7, 64}), Error);
  EXPECT_THROW(convert_checkpoint(source, empty_folder("b"), {4, 48}), Error);
  EXPECT_THROW(convert_checkpoint(source, source, {4, 64}), Error);
  EXPECT_THROW(convert_checkpoint(source, empty_folder("e"), {4, 64, "fp5"}), Error);
  const fs::path quantized = empty_folder("c");
  convert_checkpoint(source, quantized, {4, 64});
  EXPECT_THROW(convert_checkpoint(quantized, empty_folder("d"), {4, 64}), Error);
}

}  // namespace
}  // namespace prismvid::qwen3_vl
