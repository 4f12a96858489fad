#include "core/lazy_library.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/eval.h>
#include <libavutil/mathematics.h>
#include <libswscale/swscale.h>
}

// FFmpeg's libraries stand for all that are loaded late.
namespace prismvid {
namespace {

bool is_loaded(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

TEST(LazyLibrary, IsLoadedWhenAFunctionOfItIsCalledFirst) {
  const std::string library = "libswscale.so." + std::to_string(LIBSWSCALE_VERSION_MAJOR);
  EXPECT_FALSE(is_loaded(library));
  EXPECT_EQ(swscale_version() >> 16, static_cast<unsigned>(LIBSWSCALE_VERSION_MAJOR));
  EXPECT_TRUE(is_loaded(library));
}

TEST(LazyLibrary, PassesArgumentsOfEveryKindOnTheFirstCall) {
  char text[200] = "";
  av_strlcatf(text, sizeof text, "%d %s %.1f %d %.1f %ld %.1f %.1f %.1f %.1f %.1f %.1f %.1f %d", 1,
              "two", 3.0, 4, 5.0, 6L, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14);
  EXPECT_STREQ(text, "1 two 3.0 4 5.0 6 7.0 8.0 9.0 10.0 11.0 12.0 13.0 14");
}

TEST(LazyLibrary, GivesTheFunctionsResult) {
  char* rest = nullptr;
  EXPECT_EQ(av_strtod("1.5k", &rest), 1500.0);
  EXPECT_STREQ(rest, "");
}

TEST(LazyLibrary, MayBeCalledFirstByManyThreadsAtOnce) {
  std::vector<int64_t> results(16);
  {
    std::vector<std::jthread> threads;
    for (int64_t& result : results)
      threads.emplace_back([&result] { result = av_rescale(3, 5, 2); });
  }
  EXPECT_EQ(results, std::vector<int64_t>(16, 8));
}

}  // namespace
}  // namespace prismvid
