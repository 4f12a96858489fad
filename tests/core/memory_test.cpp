#include "core/memory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace prismvid {
namespace {

namespace fs = std::filesystem;

class MemoryLimit : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::optional<uint64_t> limit(const std::string& membership) const {
    return memory_limit_bytes(write("cgroup", membership), folder_);
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(MemoryLimit, IsThatOfTheGroupInVersionTwo) {
  write("jobs/one/memory.max", "2147483648\n");
  write("jobs/memory.max", "max\n");
  EXPECT_EQ(limit("0::/jobs/one\n"), 2147483648u);
}

TEST_F(MemoryLimit, IsThatOfAParentWhereThatIsSmaller) {
  write("jobs/one/memory.max", "2147483648\n");
  write("jobs/memory.max", "1073741824\n");
  EXPECT_EQ(limit("0::/jobs/one\n"), 1073741824u);
}

TEST_F(MemoryLimit, IsFoundInVersionOneBesideOtherControllers) {
  write("memory/docker/abc/memory.limit_in_bytes", "536870912\n");
  EXPECT_EQ(limit("5:cpu,cpuacct:/\n4:hugetlb,memory:/docker/abc\n0::/\n"), 536870912u);
}

TEST_F(MemoryLimit, IsThatOfTheTopWhereTheGroupsPathIsTheHosts) {
  write("memory.max", "268435456\n");
  EXPECT_EQ(limit("0::/../../host/group\n"), 268435456u);
}

TEST_F(MemoryLimit, IsNoneWhereNothingIsSet) {
  write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("memory.max", "max\n");
  EXPECT_EQ(limit("4:memory:/\n0::/\n"), std::nullopt);
  EXPECT_EQ(limit("no such form"), std::nullopt);
  EXPECT_EQ(memory_limit_bytes(folder_ / "missing", folder_), std::nullopt);
}

TEST(MachineMemory, IsMoreThanNothing) {
  EXPECT_GT(machine_memory_bytes(), uint64_t{1} << 20);
}

}  // namespace
}  // namespace prismvid
