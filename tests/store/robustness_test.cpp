#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "core/error.h"
#include "store/migrations.h"
#include "store_fixture.h"

namespace prismvid::store {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::string key_of(int number) {
  const std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), '0') + digits;
}

class Robustness : public StoreFolder {
 protected:
  /// Runs `work` in another process, which never comes back into the test.
  pid_t in_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    int code = 0;
    try {
      work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
      code = 1;
    }
    ::_exit(code);
  }

  static int exit_code(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// A stage whose text says how many blobs belong to it.
  static void put_numbered(Store& store, const VideoRecord& video, int number) {
    StageOutput output{std::to_string(number % 5 + 1), {}};
    for (int i = 0; i < number % 5 + 1; ++i)
      output.blobs.push_back(
          {keyframe_blob(static_cast<size_t>(i)), std::vector<uint8_t>(20'000, 7)});
    StageRecord record = stage_of(video, stage::kShots, '0');
    record.cache_key = key_of(number);
    store.put_stage(record, output);
  }

  void overwrite(std::streamoff at, const std::string& bytes) {
    std::fstream stream(file_, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(at);
    stream << bytes;
  }
};

TEST_F(Robustness, KillingTheWriterAtAnyMomentLeavesWholeStages) {
  const auto video = open()->put_video(video_of('a'));
  int number = 0;
  for (int round = 0; round < 6; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = in_child([&] {
      auto store = open();
      for (int n = number;; ++n) {
        put_numbered(*store, video, n);
        if (::write(ready[1], "x", 1) != 1) return;
      }
    });
    char byte;
    for (int i = 0; i <= round; ++i) ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::usleep(static_cast<useconds_t>(300 * round));  // somewhere inside the next write
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    auto store = open();
    const int first = number;
    while (const auto output = store->load_stage(key_of(number))) {
      EXPECT_EQ(output->blobs.size(), std::stoul(output->json)) << number;
      ++number;
    }
    EXPECT_GE(number - first, round + 1) << "what was reported stored is there";
  }
}

TEST_F(Robustness, TwoProcessesOpenAndWriteOneNewFile) {
  constexpr int kEach = 25;
  std::vector<pid_t> children;
  for (int c = 0; c < 2; ++c) {
    children.push_back(in_child([&] {
      auto store = open(60'000);
      const auto video = store->put_video(video_of('a'));
      for (int i = 0; i < kEach; ++i) put_numbered(*store, video, c * kEach + i);
    }));
  }
  for (pid_t child : children) EXPECT_EQ(exit_code(child), 0);
  auto store = open();
  for (int n = 0; n < 2 * kEach; ++n) EXPECT_TRUE(store->load_stage(key_of(n))) << n;
}

TEST_F(Robustness, ALockedDatabaseIsAClearErrorAfterTheWait) {
  auto store = open(100);
  int ready[2], done[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(done), 0);
  const pid_t child = in_child([&] {
    SqliteDatabase other(file_, 1000);
    other.execute("BEGIN IMMEDIATE");
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) return;
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(store_error([&] { store->put_video(video_of('a')); }), HasSubstr("is locked by"));
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  EXPECT_EQ(exit_code(child), 0);
  EXPECT_EQ(store_error([&] { store->put_video(video_of('a')); }), "");
}

TEST_F(Robustness, AFullDiskStoresNothingAsDone) {
  auto store = open_store(file_, {.max_bytes = 1'000'000});
  const auto video = store->put_video(video_of('a'));
  put_numbered(*store, video, 1);
  const StageOutput big{"{}", {{"keyframe_0.jpg", std::vector<uint8_t>(3'000'000, 1)}}};
  const std::string said =
      store_error([&] { store->put_stage(stage_of(video, stage::kShots, 'f'), big); });
  EXPECT_THAT(said, HasSubstr("the disk is full"));
  EXPECT_FALSE(store->find_stage(hash_of('f')));
  EXPECT_TRUE(store->load_stage(key_of(1)));
  put_numbered(*store, video, 2);  // what fits still goes in
  EXPECT_TRUE(store->load_stage(key_of(2)));
}

TEST_F(Robustness, AFileThatIsNoDatabaseIsRefusedAndKept) {
  const std::string text(5000, 'x');
  std::ofstream(file_) << text;
  EXPECT_THAT(store_error([&] { open(); }), HasSubstr("is not a database"));
  std::ifstream stream(file_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), text);
}

TEST_F(Robustness, AnotherProgramsDatabaseIsRefusedAndKept) {
  SqliteDatabase(file_, 100)
      .execute("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
  EXPECT_THAT(store_error([&] { open(); }), HasSubstr("another program"));
  SqliteDatabase again(file_, 100);
  EXPECT_EQ(again.integer("SELECT count(*) FROM notes"), 1);
}

TEST_F(Robustness, ANewerDatabaseIsRefused) {
  open();
  SqliteDatabase(file_, 100).execute("PRAGMA user_version = 99");
  EXPECT_THAT(store_error([&] { open(); }), HasSubstr("newer PrismVid"));
}

TEST_F(Robustness, ADatabaseOfVersionOneIsBroughtUp) {
  {
    SqliteDatabase old(file_, 100);
    migrate(old, 1);
    EXPECT_EQ(old.integer("PRAGMA user_version"), 1);
    old.execute("INSERT INTO videos VALUES ('v_1', '" + hash_of('a') +
                "', '/a.mp4', 1, '{}', 'x')");
  }
  auto store = open();
  EXPECT_TRUE(store->find_video("v_1"));
  EXPECT_EQ(store->create_person("Anna"), "p_1");
  SqliteDatabase now(file_, 100);
  EXPECT_EQ(now.integer("PRAGMA user_version"), static_cast<int64_t>(migrations().size()));
}

TEST_F(Robustness, DamagedPagesAreAnErrorNotACrash) {
  {
    auto store = open();
    const auto video = store->put_video(video_of('a'));
    for (int n = 0; n < 20; ++n) put_numbered(*store, video, n);
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file_));
  int errors = 0;
  for (std::streamoff at = 4096; at < size; at += 4096 * 3) overwrite(at, std::string(200, '\xa5'));
  const std::string said = store_error([&] {
    auto store = open();
    for (int n = 0; n < 20; ++n) store->load_stage(key_of(n));
  });
  errors += !said.empty();
  EXPECT_THAT(said, AnyOf(HasSubstr("is damaged"), HasSubstr("is not a database")));
  EXPECT_EQ(errors, 1);
}

TEST_F(Robustness, ATruncatedFileIsAnErrorNotACrash) {
  {
    auto store = open();
    const auto video = store->put_video(video_of('a'));
    for (int n = 0; n < 20; ++n) put_numbered(*store, video, n);
  }
  for (std::uintmax_t size : {100'000u, 10'000u, 4096u, 1000u, 50u}) {
    std::filesystem::resize_file(file_, size);
    EXPECT_NE(store_error([&] {
                auto store = open();
                for (int n = 0; n < 20; ++n) store->load_stage(key_of(n));
              }),
              "")
        << size;
  }
}

TEST_F(Robustness, AFolderOrAPlaceThatCannotBeIsAnErrorOfTheStore) {
  EXPECT_THAT(store_error([&] { open_store(folder_); }), HasSubstr("is a folder"));
  EXPECT_THAT(store_error([&] { open_store("/dev/null/x/p.db"); }), HasSubstr("folder"));
}

TEST_F(Robustness, OnlyTheUserMayReadTheFile) {
  open();
  const auto mode = std::filesystem::status(file_).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(DefaultPath, FollowsXdg) {
  ::setenv("XDG_DATA_HOME", "/data", 1);
  ::setenv("HOME", "/home/u", 1);
#ifndef __APPLE__
  EXPECT_EQ(Address::default_file(), "/data/prismvid/prismvid.db");
  ::setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(Address::default_file(), "/home/u/.local/share/prismvid/prismvid.db");
#endif
  ::unsetenv("XDG_DATA_HOME");
}

}  // namespace
}  // namespace prismvid::store
