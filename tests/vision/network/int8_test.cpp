#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/error.h"
#include "vision/faces/dlib_network.h"

// Convolutions in int8, in a small network of two.
namespace prismvid::vision {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr int kSide = 40, kChannels = 16;

std::vector<float> random_numbers(size_t count, float low, float high, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> number(low, high);
  std::vector<float> numbers(count);
  std::generate(numbers.begin(), numbers.end(), [&] { return number(random); });
  return numbers;
}

DlibLayer convolution(int inputs, unsigned seed) {
  DlibLayer layer;
  layer.kind = DlibLayerKind::kConvolution;
  layer.window = 3;
  layer.padding = 1;
  layer.weights = random_numbers(static_cast<size_t>(kChannels * inputs * 9), -0.2f, 0.2f, seed);
  layer.bias = random_numbers(kChannels, 0, 1, seed + 1);
  return layer;
}

class Int8 : public testing::Test {
 protected:
  Int8() { network_.layers = {convolution(3, 1), DlibLayer{}, convolution(kChannels, 3)}; }

  static bool cpu_has_it() { return backend_name(Precision::kFast, true) != backend_name(Precision::kFast); }

  std::vector<float> run(const NetworkOptions& options) const {
    const TensorView input{{1, kSide, kSide, 3}, picture_};
    return compile_dlib_network(network_, kSide, kSide, options)->run({&input, 1}).front().data;
  }
  std::vector<float> exact() const { return run({.precision = Precision::kExact}); }
  ActivationRanges observed() const {
    ActivationRanges ranges;
    run({.precision = Precision::kExact, .observed = &ranges});
    return ranges;
  }

  DlibNetwork network_;
  std::vector<float> picture_ = random_numbers(kSide * kSide * 3, -0.5f, 0.5f, 7);
};

TEST_F(Int8, ConvolutionsWithKnownRangesDifferLittleFromExactOnes) {
  const auto expected = exact(), rounded = run({.int8_ranges = observed()});
  ASSERT_EQ(expected.size(), rounded.size());
  float largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(expected[i] - rounded[i]));
  }
  EXPECT_LT(difference, 0.03f * largest);
  if (cpu_has_it()) {
    EXPECT_NE(rounded, run({}));
  }
}

TEST_F(Int8, ObservingTellsWhatEntersEachConvolutionAndChangesNoOutput) {
  ActivationRanges ranges;
  EXPECT_EQ(run({.precision = Precision::kExact, .observed = &ranges}), exact());
  const auto [least, greatest] = std::minmax_element(picture_.begin(), picture_.end());
  EXPECT_THAT(ranges, ElementsAre(Pair("convolution_0", testing::Field(&ValueRange::low, *least)),
                                  Pair("convolution_1", testing::Field(&ValueRange::low, 0))));  // behind the ReLU
  EXPECT_EQ(ranges["convolution_0"].high, *greatest);
  EXPECT_GT(ranges["convolution_1"].high, 0);
}

TEST_F(Int8, ExactNetworksHaveNone) { EXPECT_EQ(run({.precision = Precision::kExact, .int8_ranges = observed()}), exact()); }

TEST_F(Int8, AConvolutionThatTheNetworkLacksIsAnError) {
  if (!cpu_has_it()) GTEST_SKIP() << "this processor has no instructions for int8";
  EXPECT_THROW(run({.int8_ranges = {{"no such convolution", {0, 1}}}}), Error);
}

}  // namespace
}  // namespace prismvid::vision
