#include "nn/cuda/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "nn/cuda/cuda_test.h"
#include "nn/cuda/weight_tiles.h"

namespace prismvid::cuda {
namespace {

struct Case {
  int bits, group, rows, columns, tokens;
  float size = 1;  // of the activations
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.bits << " bits, groups of " << c.group << ", " << c.rows << " x " << c.columns << ", "
       << c.tokens << " tokens, size " << c.size;
}

class CudaProduct : public OnGpu, public testing::WithParamInterface<Case> {};

TEST_P(CudaProduct, EqualsTheUnpackedMatrixInFloat32) {
  const Case c = GetParam();
  const mx::array dense = random_bfloat16({c.rows, c.columns}, 0.05f, 1);
  const mx::array x = random_bfloat16({c.tokens, c.columns}, c.size, 2);
  std::vector<mx::array> parts = {dense};
  mx::array unpacked = mx::astype(dense, mx::float32);
  if (c.bits < 16) {
    parts = mx::quantize(dense, c.group, c.bits);
    unpacked = mx::dequantize(parts[0], mx::astype(parts[1], mx::float32),
                              mx::astype(parts[2], mx::float32), c.group, c.bits);
  }
  // Not by matmul(), which takes 10 bits of float32 on this device.
  const mx::array wanted = mx::sum(mx::expand_dims(mx::astype(x, mx::float32), 1) * unpacked, -1);
  mx::array y = mx::full({c.tokens, c.rows}, NAN, mx::float32);
  parts.insert(parts.end(), {x, wanted, y});
  mx::eval(parts);
  mx::synchronize();

  const WorkspaceSizes sizes = workspace_sizes(c.rows, c.columns, c.tokens);
  const DeviceBuffer partial(sizes.partial), arranged(sizes.arranged), sums(sizes.arranged_sums),
      arrived(kArrivedCounters * 4);
  ProductArguments a{};
  a.matrices[0].weight = static_cast<const uint32_t*>(device_data(parts[0]));
  if (c.bits < 16) {
    a.matrices[0].scales = static_cast<const bf16*>(device_data(parts[1]));
    a.matrices[0].biases = static_cast<const bf16*>(device_data(parts[2]));
  }
  a.rows = a.stride = a.first_row[1] = a.first_row[2] = c.rows;
  a.group = c.group;
  a.columns = c.columns;
  a.tokens = c.tokens;
  a.x = static_cast<const bf16*>(device_data(x));
  a.y = writable<float>(y);
  a.float_output = 1;
  a.partial = partial.as<float>();
  a.arranged = arranged.as<char>();
  a.arranged_sums = sums.as<float>();
  a.arrived = arrived.as<uint32_t>();
  ASSERT_TRUE(has_product(c.bits, c.group, c.columns));
  multiply(c.bits, a, nullptr);
  check_driver(cuStreamSynchronize(nullptr), "running a product");
  EXPECT_LT(relative_error(y, wanted), 2e-4f);
  if (c.tokens > 1) return;

  WeightTiles tiles;
  EXPECT_EQ(tiles.of(a), nullptr);
  tiles.add(c.bits, a);
  ASSERT_TRUE(tiles.make());
  a.tiles = tiles.of(a);
  ASSERT_NE(a.tiles, nullptr);
  check_driver(cuMemsetD8(reinterpret_cast<CUdeviceptr>(a.y), 0xff, c.rows * sizeof(float)),
               "poisoning the result");
  multiply(c.bits, a, nullptr);
  check_driver(cuStreamSynchronize(nullptr), "running a product");
  EXPECT_LT(relative_error(y, wanted), 2e-4f) << "with tiles";
}

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int tokens : {1, 2, 3, 7, 8, 9, 31, 32, 33, 64})
      cases.push_back({bits, 64, 100, 768, tokens});
    for (const int tokens : {1, 5, 17, 40}) {
      cases.push_back({bits, 32, 17, 1536, tokens});
      cases.push_back({bits, 128, 300, 9728, tokens});
      cases.push_back({bits, 64, 4104, 256, tokens, 1e4f});
    }
  }
  for (const int tokens : {1, 2, 8, 9, 33}) cases.push_back({16, 64, 100, 832, tokens});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, CudaProduct, testing::ValuesIn(cases()));

TEST(CudaProductShapes, TellsWhatItDoesNotHave) {
  EXPECT_FALSE(has_product(7, 64, 4096));
  EXPECT_FALSE(has_product(4, 16, 4096));
  EXPECT_FALSE(has_product(4, 64, 4160));
  EXPECT_TRUE(has_product(16, 64, 4160));
}

}  // namespace
}  // namespace prismvid::cuda
