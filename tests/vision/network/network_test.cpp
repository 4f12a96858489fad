#include "vision/network/network.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "core/error.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Graphs of tools/make_test_detectors.py.
fs::path model(const std::string& name) {
  return fs::path(TEST_DETECTORS) / name;
}

std::string bytes_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& bytes)
      : path_(fs::temp_directory_path() /
              ("prismvid-network-" + std::to_string(getpid()) + ".onnx")) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~ScratchFile() { fs::remove(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string problem(const fs::path& file) {
  try {
    load_network(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return {};
}

TEST(Network, TellsItsInputsAndOutputsInDeclaredOrder) {
  const auto network = load_network(model("detr_boxes.onnx"));
  EXPECT_THAT(network->input_names(), ElementsAre("images", "orig_target_sizes"));
  EXPECT_THAT(network->output_names(), ElementsAre("labels", "boxes", "scores"));
  EXPECT_THAT(network->input_shape(0), ElementsAre(-1, 3, 64, 64));
  EXPECT_THAT(network->input_shape(1), ElementsAre(-1, 2));
  EXPECT_EQ(network->metadata("nothing"), "");
}

TEST(Network, ConvertsIntegerInputsAndOutputsToFloats) {
  const auto network = load_network(model("detr_boxes.onnx"), {.precision = Precision::kExact});
  std::vector<float> picture(2 * 3 * 64 * 64);  // a batch of two, the second one green
  std::fill_n(picture.begin() + 4 * 64 * 64, 64 * 64, 1.0f);
  const std::vector<float> sizes = {1920, 1080, 100, 200};
  const std::vector<TensorView> inputs = {{{2, 3, 64, 64}, picture}, {{2, 2}, sizes}};
  const std::vector<Tensor> outputs = network->run(inputs);
  ASSERT_EQ(outputs.size(), 3u);
  EXPECT_THAT(outputs[0].shape, ElementsAre(2, 16));
  EXPECT_EQ(outputs[0].data[16], 1);  // label
  EXPECT_EQ(outputs[2].data[16], 1);  // score
  EXPECT_FLOAT_EQ(outputs[1].data[2], 1920 / 4);
  EXPECT_FLOAT_EQ(outputs[1].data[16 * 4 + 3], 200 / 4);
}

TEST(Network, FixesShapesThatMayVary) {
  const auto network =
      load_network(model("detr_boxes.onnx"), {.fix_shape = [](const Shape& declared) {
                     return declared.size() == 4 ? Shape{1, 3, 64, 64} : Shape{1, 2};
                   }});
  EXPECT_THAT(network->input_shape(0), ElementsAre(1, 3, 64, 64));
  EXPECT_THAT(network->input_shape(1), ElementsAre(1, 2));
  EXPECT_THROW(load_network(model("detr_boxes.onnx"), {.fix_shape =
                                                           [](const Shape&) {
                                                             return Shape{1, 7};
                                                           }}),
               Error);
}

TEST(Network, FastAndExactDifferNoMoreThanBf16) {
  std::vector<float> picture(3 * 64 * 64);
  for (size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<float>(i % 251);
  const TensorView input{{1, 3, 64, 64}, picture};
  const auto exact =
      load_network(model("yolox_raw.onnx"), {.precision = Precision::kExact})->run({&input, 1});
  const auto fast =
      load_network(model("yolox_raw.onnx"), {.precision = Precision::kFast})->run({&input, 1});
  ASSERT_EQ(exact[0].data.size(), fast[0].data.size());
  for (size_t i = 0; i < exact[0].data.size(); ++i)
    ASSERT_NEAR(exact[0].data[i], fast[0].data[i], 0.02 * std::abs(exact[0].data[i]) + 1e-3);
}

TEST(Network, RefusesInputsThatDoNotFit) {
  const auto network = load_network(model("yolox_raw.onnx"));
  const std::vector<float> small(3 * 32 * 32);
  const TensorView wrong_shape{{1, 3, 32, 32}, small};
  EXPECT_THROW(network->run({&wrong_shape, 1}), Error);
  const TensorView too_short{{1, 3, 64, 64}, small};
  EXPECT_THROW(network->run({&too_short, 1}), Error);
  EXPECT_THROW(network->run({}), Error);
}

TEST(Network, SaysWhatIsWrongWithAFile) {
  EXPECT_THAT(problem("/no/such/model.onnx"), HasSubstr("/no/such/model.onnx"));
  EXPECT_THAT(problem(fs::temp_directory_path()), HasSubstr("not a file"));
  const std::string whole = bytes_of(model("yolox_raw.onnx"));
  for (const std::string& bytes : {std::string(), std::string("no model"), whole.substr(0, 100),
                                   whole.substr(0, whole.size() / 2), std::string(1000, '\xff')}) {
    const ScratchFile file(bytes);
    EXPECT_THAT(problem(file.path()), HasSubstr(file.path().string())) << bytes.size() << " bytes";
  }
}

TEST(Network, TheBackendsNameTellsPrecision) {
  EXPECT_THAT(backend_name(Precision::kExact), StartsWith("openvino-2"));
  EXPECT_THAT(backend_name(Precision::kExact), ::testing::EndsWith("/cpu/f32"));
  EXPECT_THAT(backend_name(Precision::kFast),
              ::testing::AnyOf(::testing::EndsWith("/cpu/bf16"), ::testing::EndsWith("/cpu/f32")));
  EXPECT_EQ(backend_name(Precision::kExact, true), backend_name(Precision::kExact));
  EXPECT_THAT(backend_name(Precision::kFast, true), ::testing::AnyOf(backend_name(Precision::kFast), HasSubstr("/cpu/int8+")));
}

TEST(Network, CountsElements) {
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({5, 0}), 0);
}

}  // namespace
}  // namespace prismvid::vision
