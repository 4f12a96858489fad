#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "core/error.h"
#include "store/migrations.h"
#include "store_fixture.h"

// What only PostgreSQL can do wrong: servers that are not there, refuse, or go away.
namespace prismvid::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "s3cr3t";

class Postgres : public StoreFolder {
 protected:
  void SetUp() override {
    StoreFolder::SetUp();
    std::string why;
    server_ = tests::PostgresServer::get(why);
    if (!server_) GTEST_SKIP() << why;
    address_ = server_->make_database();
  }

  std::string name() const {
    const std::string text = address_.text();
    const size_t start = text.find("@/") + 2;
    return text.substr(start, text.find('?') - start);
  }
  /// Over TCP, where the server asks for a password.
  std::string tcp_url(const std::string& password, const std::string& database) const {
    return "postgres://tcp:" + password + "@127.0.0.1:" + std::to_string(server_->port()) + "/" +
           database;
  }

  tests::PostgresServer* server_ = nullptr;
};

TEST_F(Postgres, AUserWithAPasswordOverTcpHasALibrary) {
  const Address address(tcp_url("secret", name()));
  EXPECT_EQ(open_store(address)->put_video(video_of('a')).id, video_of('a').id);
  EXPECT_EQ(address.shown(),
            "postgres://tcp@127.0.0.1:" + std::to_string(server_->port()) + "/" + name());
}

TEST_F(Postgres, EachRefusalSaysWhatWouldHelpAndNoPassword) {
  const auto refusal = [](const std::string& url) { return store_error([&] { open_store(url); }); };
  EXPECT_THAT(refusal(tcp_url(kSecret, name())),
              AllOf(HasSubstr("does not take the password"), Not(HasSubstr(kSecret))));
  EXPECT_THAT(refusal(tcp_url("secret", "nowhere")), HasSubstr("createdb"));
  EXPECT_THAT(refusal("postgres://tcp@127.0.0.1:" + std::to_string(server_->port()) + "/" + name()),
              HasSubstr("wants a password"));
  EXPECT_THAT(refusal(std::string("postgres://u:") + kSecret + "@127.0.0.1:1/x"),
              AllOf(HasSubstr("cannot be reached"), Not(HasSubstr(kSecret))));
  EXPECT_THAT(refusal(std::string("postgres://u:") + kSecret + "%zz@127.0.0.1/x"),
              AllOf(HasSubstr("postgres://USER@HOST"), Not(HasSubstr(kSecret))));
  EXPECT_THAT(refusal(tcp_url("secret", "postgres")), HasSubstr("GRANT CREATE"));
}

TEST_F(Postgres, ADatabaseOfAnotherEncodingIsRefused) {
  PostgresDatabase(address_.text(), 1000)
      .execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  std::string url = address_.text();
  url.replace(url.find(name()), name().size(), "latin");
  EXPECT_THAT(store_error([&] { open_store(url); }), HasSubstr("createdb -E UTF8"));
}

TEST_F(Postgres, ATooOldServerIsRefusedByItsVersion) {
  // Answers as PostgreSQL 9.6 does when it lets somebody in.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size), 0);
  const std::jthread old([listener] {
    const int client = ::accept(listener, nullptr, nullptr);
    char start[1024];
    const std::string answer(
        "R\0\0\0\x08\0\0\0\0"
        "S\0\0\0\x17server_version\0"
        "9.6\0"
        "Z\0\0\0\x05I",
        9 + 24 + 6);
    if (::read(client, start, sizeof start) > 0 &&
        ::write(client, answer.data(), answer.size()) > 0)
      while (::read(client, start, sizeof start) > 0) {
      }
    ::close(client);
  });
  const std::string url = "postgres://u@127.0.0.1:" + std::to_string(ntohs(where.sin_port)) +
                          "/x?sslmode=disable&gssencmode=disable";
  EXPECT_THAT(store_error([&] { open_store(url); }),
              AllOf(HasSubstr("9.6"), HasSubstr("needs 12")));
  ::close(listener);
}

TEST_F(Postgres, ANewerLibraryIsRefused) {
  open();
  PostgresDatabase(address_.text(), 1000).execute("UPDATE version SET number = 99");
  EXPECT_THAT(store_error([&] { open(); }), HasSubstr("newer PrismVid"));
}

TEST_F(Postgres, ManyMakeOneLibraryAtTheSameTime) {
  std::vector<std::jthread> openers;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 6; ++i) openers.emplace_back([&] { opened += open() != nullptr; });
  openers.clear();
  EXPECT_EQ(opened, 6);
}

TEST_F(Postgres, TextThatIsNoUtf8IsTheCallersError) {
  VideoRecord video = video_of('a');
  video.path = "/videos/\xff.mp4";
  try {
    open()->put_video(video);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("UTF-8"));
  }
}

TEST_F(Postgres, ALibraryLockedByAnotherIsAClearErrorAfterTheWait) {
  auto store = open(200);
  PostgresDatabase other(address_.text(), 1000);
  Transaction transaction(other, Lock::kLibrary);
  EXPECT_THAT(store_error([&] { store->assign_faces({}); }),
              HasSubstr("is locked by another program"));
}

TEST_F(Postgres, WhoFallsSilentWithinAChangeLosesItsLocksBeforeOthersGiveUp) {
  auto store = open(20'000);
  PostgresDatabase silent(address_.text(), 1000);
  Transaction transaction(silent, Lock::kLibrary);
  EXPECT_TRUE(store->assign_faces({}).empty());
  EXPECT_THAT(store_error([&] { transaction.commit(); }), HasSubstr("broke"));
}

TEST_F(Postgres, AServerThatWasKilledAndCameBackIsUsedAgain) {
  auto store = open();
  const auto jobs = open_job_store(address_);
  store->put_video(video_of('a'));
  const std::string id = jobs->add({}).job.id;
  server_->kill();
  std::jthread starter([this] { server_->start(); });
  EXPECT_TRUE(store->find_video(video_of('a').id)) << "reading is tried again";
  store->put_video(video_of('b'));
  EXPECT_EQ(jobs->claim("w", 60'000, 3)->job.id, id);
}

TEST_F(Postgres, WhatWasRunningWhenTheServerDiedFailsAndIsWhollyUndone) {
  auto store = open(1000);
  PostgresDatabase database(address_.text(), 10'000);
  {
    Transaction transaction(database, TransactionKind::kWrite);
    database.execute("INSERT INTO people (name, created_at) VALUES ('Anna', '')");
    server_->kill();
    EXPECT_THAT(store_error([&] { database.integer("SELECT 1"); }), HasSubstr("broke"));
    EXPECT_NE(store_error([&] { transaction.commit(); }), "");
  }
  EXPECT_THAT(store_error([&] { store->people(); }), HasSubstr("cannot be reached"));
  server_->start();
  EXPECT_TRUE(store->people().empty());
}

TEST_F(Postgres, WorkersAndReadersAreToldOfChanges) {
  open();
  const auto waiting = open_job_store(address_), adding = open_job_store(address_);
  const auto view = open_library_view(address_);
  EXPECT_TRUE(waiting->tells_of_changes());
  while (waiting->wait_for_change(0)) {
  }
  const int64_t library = view->version();
  std::jthread adder([&] { adding->add({}); });
  EXPECT_TRUE(waiting->wait_for_change(60'000));
  adder.join();
  EXPECT_EQ(view->version(), library) << "jobs change nothing in the library";
  open()->put_video(video_of('a'));
  int64_t now = library;
  for (int i = 0; i < 600 && now == library; ++i, ::usleep(10'000)) now = view->version();
  EXPECT_NE(now, library);
}

TEST_F(Postgres, EventsAppearInTheOrderOfTheirNumbers) {
  open();
  constexpr int kWriters = 4, kEach = 40;
  const auto jobs = open_job_store(address_);
  for (int i = 0; i < kWriters; ++i) jobs->add({});
  std::atomic<int> writing = kWriters;
  std::vector<std::jthread> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&] {
      const auto mine = open_job_store(address_);
      const Claim claim = *mine->claim("w", 60'000, 3);
      for (int i = 0; i < kEach; ++i) mine->add_event(claim.lease, "stage", "{}");
      --writing;
    });
  PostgresDatabase reader(address_.text(), 1000);
  std::multiset<int64_t> seen;
  bool over = false;
  for (int64_t last = 0, more = 1; more > 0 || !over;) {
    over = writing == 0;
    Statement rows(reader, "SELECT sequence FROM job_events WHERE sequence > ? ORDER BY sequence",
                   last);
    for (more = 0; rows.step(); ++more) seen.insert(last = rows.integer(0));
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kWriters * kEach))
      << "none came behind the reader's back";
}

}  // namespace
}  // namespace prismvid::store
