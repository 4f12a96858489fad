#include "server/job_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/http.h"

namespace prismvid::server {
namespace {

using testing::ElementsAre;

constexpr char kAsked[] =
    R"({"source":{"path":"a.mp4"},"webhook":{"url":"http://x/","secret":"s3cret","events":["failed","person_found"]}})";

TEST(JobRequest, KeepsWhatAWebhookIsToldOfAndNoSecret) {
  const JobRequest asked = parse_job_request(kAsked);
  EXPECT_EQ(asked.webhook_url, "http://x/");
  const std::string kept = asked.stored.dump();
  EXPECT_EQ(kept.find("s3cret"), std::string::npos);
  EXPECT_THAT(webhook_events(kept), ElementsAre("failed", "person_found"));
  EXPECT_EQ(parse_stored_request(kept).source, "a.mp4");
}

TEST(JobRequest, WithoutAChoiceAWebhookIsToldOfEverything) {
  const JobRequest asked = parse_job_request(R"({"source":{"path":"a.mp4"},"webhook":{"url":"http://x/","secret":"s"}})");
  EXPECT_FALSE(asked.stored.contains("webhook"));
  EXPECT_THAT(webhook_events(asked.stored.dump()), ElementsAre("cancelled", "done", "failed", "partial", "person_found"));
}

TEST(JobRequest, RefusesEventsThatDoNotExist) {
  for (const char* events : {R"(["ended"])", "[]", R"("done")", "[1]"})
    EXPECT_THROW(parse_job_request(R"({"source":{"path":"a.mp4"},"webhook":{"url":"http://x/","secret":"s","events":)" + std::string(events) + "}}"), HttpError) << events;
  EXPECT_NO_THROW(parse_job_request(R"({"source":{"path":"a.mp4"},"webhook":null})"));
}

}  // namespace
}  // namespace prismvid::server
