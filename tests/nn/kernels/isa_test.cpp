#include "nn/kernels/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

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

// An emulated processor, as the tests for Arm have it, is not the one that Linux tells of.
#if defined(__linux__) && defined(__x86_64__)
/// What Linux writes behind `name` of the first processor; empty where it says nothing.
std::string cpu_info(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + "\t")) return line.substr(line.find(": ") + 2);
  return "";
}

TEST_F(IsaTest, KnowsTheFamilyOfAmdsProcessorsAsLinuxDoes) {
  const bool is_amd = cpu_info("vendor_id") == "AuthenticAMD";
  EXPECT_EQ(amd_family(), is_amd ? std::stoi(cpu_info("cpu family")) : 0);
}
#endif

}  // namespace
}  // namespace prismvid::nn::kernels
