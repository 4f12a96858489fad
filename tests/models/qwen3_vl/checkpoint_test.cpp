#include "models/qwen3_vl/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/error.h"
#include "models/qwen3_vl/tiny_model.h"
#include "nn/safetensors.h"

namespace prismvid::qwen3_vl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A copy of a tiny checkpoint that a test may damage.
class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    use("dense_untied");
  }

  void use(const std::string& kind) {
    fs::create_directories(folder_);
    fs::copy(kGolden / "models" / kind, folder_,
             fs::copy_options::overwrite_existing | fs::copy_options::recursive);
    fs::remove(folder_ / "golden.bin");
  }

  std::unordered_map<std::string, mx::array> tensors() {
    return mx::load_safetensors((folder_ / "model.safetensors").string()).first;
  }

  void save(const std::unordered_map<std::string, mx::array>& tensors) {
    fs::remove(folder_ / "model.safetensors");
    mx::save_safetensors((folder_ / "model.safetensors").string(), tensors);
  }

  nlohmann::json config() { return *read_json(folder_ / "config.json"); }
  void save_config(const nlohmann::json& config) {
    std::ofstream(folder_ / "config.json") << config.dump();
  }

  std::string load_error() {
    try {
      Model::load(folder_);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(CheckpointTest, ListsAllUnfittingTensorsInOneError) {
  auto weights = tensors();
  weights.erase("model.language_model.norm.weight");
  weights.erase("model.visual.merger.norm.bias");
  weights.insert_or_assign("model.language_model.layers.1.self_attn.q_norm.weight",
                           mx::zeros({7}, mx::bfloat16));
  weights.emplace("model.stranger.weight", mx::zeros({3, 2}));
  save(weights);
  const std::string message = load_error();
  EXPECT_THAT(message, HasSubstr("4 tensors"));
  EXPECT_THAT(message, HasSubstr("missing: model.language_model.norm.weight (64)"));
  EXPECT_THAT(message, HasSubstr("missing: model.visual.merger.norm.bias"));
  EXPECT_THAT(message, HasSubstr("layers.1.self_attn.q_norm.weight (7), needed (32)"));
  EXPECT_THAT(message, HasSubstr("unexpected: model.language_model.stranger.weight (3, 2)"));
}

TEST_F(CheckpointTest, CutsNoListOfProblems) {
  auto weights = tensors();
  for (int i = 0; i < 200; ++i)
    weights.emplace("model.stranger." + std::to_string(i), mx::zeros({1}));
  save(weights);
  const std::string message = load_error();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 200);
}

TEST_F(CheckpointTest, LoadsTheNamesAndLayoutsOfMlxCommunity) {
  for (const std::string kind : {"dense_untied", "moe"}) {
    use(kind);
    std::unordered_map<std::string, mx::array> renamed;
    for (auto& [name, tensor] : tensors()) {
      std::string to = name;
      if (name.starts_with("model.language_model.")) to = "language_model.model." + name.substr(21);
      if (name.starts_with("model.visual.")) to = "vision_tower." + name.substr(13);
      if (name == "lm_head.weight") to = "language_model.lm_head.weight";
      mx::array value = tensor;
      if (name.ends_with("patch_embed.proj.weight"))
        value = mx::contiguous(mx::transpose(tensor, {0, 2, 3, 4, 1}));
      renamed.emplace(to, value);
    }
    save(renamed);
    const Model model = Model::load(folder_, {mx::float32});
    const Case one = golden_cases(model)[1];
    EXPECT_EQ(greedy_tokens(model, one, 64, 16), greedy_tokens(tiny_model(kind), one, 64, 16))
        << kind;
  }
}

TEST_F(CheckpointTest, LoadsBothLayoutsOfFusedExperts) {
  use("moe");
  auto weights = tensors();
  for (auto& [name, tensor] : weights)
    if (name.find(".mlp.experts.") != std::string::npos)
      tensor = mx::contiguous(mx::swapaxes(tensor, 1, 2));
  save(weights);
  const Model model = Model::load(folder_, {mx::float32});
  const Case one = golden_cases(model)[0];
  EXPECT_EQ(greedy_tokens(model, one, 64, 16), greedy_tokens(tiny_model("moe"), one, 64, 16));
}

TEST_F(CheckpointTest, ReadsTheConfigOfTransformers4) {
  auto file = config();
  auto& text = file["text_config"];
  const auto rope = text["rope_parameters"];
  text.erase("rope_parameters");
  text["rope_theta"] = rope["rope_theta"];
  text["rope_scaling"] = {{"rope_type", "default"},
                          {"mrope_section", rope["mrope_section"]},
                          {"mrope_interleaved", true}};
  file["vision_config"]["model_type"] = "qwen3_vl";
  const Config old = parse_config(file);
  EXPECT_EQ(old.text.mrope_section, tiny_model("dense_untied").config().text.mrope_section);
  EXPECT_EQ(old.text.rope_theta, 5e6);
}

TEST_F(CheckpointTest, RefusesConfigsThatLie) {
  const auto refused = [](nlohmann::json file) {
    EXPECT_THROW(parse_config(file), Error) << file.dump();
  };
  refused(nlohmann::json::array());
  refused({{"model_type", "llama"}});
  for (const char* key :
       {"hidden_size", "num_hidden_layers", "head_dim", "rms_norm_eps", "rope_parameters"}) {
    auto file = config();
    file["text_config"][key] = "many";
    refused(file);
    file["text_config"][key] = -3;
    if (std::string(key) != "rms_norm_eps") refused(file);
    for (const double number : {8.9e44, -1e300, 4294967298.0}) {  // the last would become 2
      file["text_config"][key] = number;
      refused(file);
    }
  }
  auto file = config();
  file["text_config"].erase("num_key_value_heads");
  refused(file);
  file = config();
  file["vision_config"]["deepstack_visual_indexes"] = {0, 99};
  refused(file);
  file = config();
  file["text_config"]["hidden_size"] = 128;  // honest by itself, but the tensors say 64
  file["vision_config"]["out_hidden_size"] = 128;
  save_config(file);
  EXPECT_THAT(load_error(), HasSubstr("wrong shape"));
}

TEST_F(CheckpointTest, ATextOnlyExportAnswersButSeesNothing) {
  auto weights = tensors();
  std::erase_if(weights,
                [](const auto& entry) { return entry.first.starts_with("model.visual."); });
  save(weights);
  const Model model = Model::load(folder_, {mx::float32});
  EXPECT_FALSE(model.has_vision());
  const Case text = golden_cases(model)[0];
  EXPECT_EQ(greedy_tokens(model, text, 64, 8),
            greedy_tokens(tiny_model("dense_untied"), text, 64, 8));
  EXPECT_THROW(encode_all(model, golden_cases(model)[1]), Error);
}

TEST_F(CheckpointTest, NamesWhatIsMissing) {
  fs::remove(folder_ / "model.safetensors");
  EXPECT_THAT(load_error(), HasSubstr("no .safetensors"));
  std::ofstream(folder_ / "model.safetensors.index.json")
      << R"({"weight_map": {"a": "../../etc/passwd"}})";
  EXPECT_THAT(load_error(), HasSubstr("leaves the folder"));
  std::ofstream(folder_ / "model.safetensors.index.json")
      << R"({"weight_map": {"a": "model-1.safetensors"}})";
  EXPECT_THAT(load_error(), HasSubstr("lacks"));
  fs::remove(folder_ / "config.json");
  EXPECT_THAT(load_error(), HasSubstr("no config.json"));
}

// A header of a safetensors file: its length, then the JSON.
std::vector<uint8_t> header(const std::string& json, uint64_t length) {
  std::vector<uint8_t> bytes(8 + json.size());
  std::memcpy(bytes.data(), &length, 8);
  std::copy(json.begin(), json.end(), bytes.begin() + 8);
  return bytes;
}

TEST(Safetensors, RefusesDamagedHeaders) {
  const auto refused = [](const std::string& json, uint64_t file_bytes,
                          std::optional<uint64_t> length = {}) {
    const auto bytes = header(json, length.value_or(json.size()));
    EXPECT_THROW(nn::parse_safetensors_header(bytes, file_bytes, "x"), Error) << json;
  };
  const auto tensor = [](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return R"({"a": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" +
           offsets + "}}";
  };
  refused("", 8, 1u << 31);
  refused("{}", 10, ~uint64_t{0});
  refused("[1]", 100);
  refused(std::string(1'000'000, '['), 2'000'000);  // a parser by recursion would fall over
  refused("{\"a\": 3}", 100);
  refused(tensor("F77", "[2]", "[0, 8]"), 1000);
  refused(tensor("F32", "[2]", "[0, 12]"), 1000);
  refused(tensor("F32", "[2]", "[0, 8]"), 60);  // truncated
  refused(tensor("F32", "[-2]", "[0, 8]"), 1000);
  refused(tensor("F32", "[4294967296, 4294967296]", "[0, 0]"), 1000);
  refused(tensor("F32", "[2]", "[8, 0]"), 1000);
  refused(tensor("F32", "[2]", "[0]"), 1000);
  refused(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
              "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})",
          1000);
  const std::string good = tensor("BF16", "[2, 3]", "[4, 16]");
  const auto entries =
      nn::parse_safetensors_header(header(good, good.size()), 8 + good.size() + 16, "x");
  EXPECT_EQ(entries.at("a").begin, 8 + good.size() + 4);
  EXPECT_EQ(entries.at("a").shape, (std::vector<int>{2, 3}));
}

}  // namespace
}  // namespace prismvid::qwen3_vl
