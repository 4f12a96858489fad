#include "pipeline/kept_networks.h"

#include <gtest/gtest.h>

namespace prismvid::pipeline {
namespace {

struct Loads {
  KeptNetworks kept;
  int made = 0;
  std::shared_ptr<int> get(const std::string& key) {
    return kept.get<int>(key, [this] { return std::make_shared<int>(++made); });
  }
};

TEST(KeptNetworks, MakesEachOnceWhenToldToKeep) {
  Loads loads;
  loads.kept.keep();
  EXPECT_EQ(*loads.get("a"), 1);
  EXPECT_EQ(*loads.get("b"), 2);
  EXPECT_EQ(*loads.get("a"), 1);
  EXPECT_EQ(loads.made, 2);
}

TEST(KeptNetworks, KeepsNothingByItself) {
  Loads loads;
  const std::weak_ptr<int> first = loads.get("a");
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(*loads.get("a"), 2);
}

}  // namespace
}  // namespace prismvid::pipeline
