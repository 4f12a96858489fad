#include "nn/kernels/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {
namespace {

class IsaTest : public testing::Test {
 protected:
  void TearDown() override { unsetenv("PRISMVID_ISA"); }
};

TEST_F(IsaTest, EveryLevelHasATableOfItsOwn) {
  for (Isa isa : supported_isas()) EXPECT_EQ(kernel_table(isa).isa, isa);
}

TEST_F(IsaTest, TakesTheHighestLevelUnlessTheEnvironmentNamesAnother) {
  EXPECT_EQ(chosen_isa(), supported_isas().back());
  setenv("PRISMVID_ISA", "portable", 1);
  EXPECT_EQ(chosen_isa(), Isa::kPortable);
}

TEST_F(IsaTest, RefusesAnUnknownName) {
  setenv("PRISMVID_ISA", "sse9", 1);
  EXPECT_THROW(chosen_isa(), Error);
}

}  // namespace
}  // namespace prismvid::nn::kernels
