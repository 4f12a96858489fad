#include "models/qwen3_vl/convert.h"

#include <gtest/gtest.h>

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
  ASSERT_EQ(hashes.size(), 9u);
  for (const auto& [name, entry] : hashes.items()) {
    const fs::path folder = empty_folder(name);
    convert_checkpoint(kGolden / "models" / entry["kind"].get<std::string>(), folder,
                       {entry["bits"].get<int>(), entry["group_size"].get<int>()});
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
  const fs::path quantized = empty_folder("c");
  convert_checkpoint(source, quantized, {4, 64});
  EXPECT_THROW(convert_checkpoint(quantized, empty_folder("d"), {4, 64}), Error);
}

}  // namespace
}  // namespace prismvid::qwen3_vl
