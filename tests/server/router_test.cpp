#include "server/router.h"

#include <gtest/gtest.h>

#include "server/http_server.h"
#include "server/parameters.h"

namespace prismvid::server {
namespace {

Router sample() {
  Router router;
  const auto run = [](Request&) { return Response{}; };
  router.add({"GET", "/v1/videos", Scope::kRead, "", run});
  router.add({"GET", "/v1/videos/{id}", Scope::kRead, "", run});
  router.add({"DELETE", "/v1/videos/{id}", Scope::kWrite, "", run});
  router.add({"GET", "/v1/videos/{id}/keyframes/{keyframe}.jpg", Scope::kRead, "", run});
  return router;
}

Request request(const std::string& method, const std::string& path) {
  Request made;
  made.method = method;
  made.path = path;
  return made;
}

int status_for(const std::string& method, const std::string& path) {
  Request asked = request(method, path);
  try {
    sample().find(asked);
    return 200;
  } catch (const HttpError& error) {
    return error.status();
  }
}

TEST(Router, NamedPartsAreTaken) {
  const Router router = sample();
  Request asked = request("GET", "/v1/videos/v_1/keyframes/k_2.jpg");
  EXPECT_EQ(router.find(asked).pattern, "/v1/videos/{id}/keyframes/{keyframe}.jpg");
  EXPECT_EQ(asked.value("id"), "v_1");
  EXPECT_EQ(asked.value("keyframe"), "k_2");
}

TEST(Router, AMethodChoosesItsRoute) {
  const Router router = sample();
  Request asked = request("DELETE", "/v1/videos/v_1");
  EXPECT_EQ(router.find(asked).scope, Scope::kWrite);
}

TEST(Router, UnknownPathsAndMethodsAreToldApart) {
  EXPECT_EQ(status_for("GET", "/v1/videos/"), 404);
  EXPECT_EQ(status_for("GET", "/v1/nothing"), 404);
  EXPECT_EQ(status_for("GET", "/v1/videos/v_1/keyframes/.jpg"), 404);
  EXPECT_EQ(status_for("GET", "no slash"), 404);
  EXPECT_EQ(status_for("POST", "/v1/videos"), 405);
}

TEST(ListenAddress, KnowsWhatOnlyThisMachineReaches) {
  EXPECT_TRUE(parse_listen_address("127.0.0.1:80").is_loopback);
  EXPECT_TRUE(parse_listen_address("localhost:80").is_loopback);
  EXPECT_TRUE(parse_listen_address("[::1]:80").is_loopback);
  EXPECT_FALSE(parse_listen_address("0.0.0.0:80").is_loopback);
  EXPECT_FALSE(parse_listen_address("[::]:80").is_loopback);
  EXPECT_EQ(parse_listen_address("[::1]:8080").port, 8080);
}

TEST(ListenAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:8a", "example.org:80", ":80"})
    EXPECT_THROW(parse_listen_address(text), Error) << text;
}

TEST(Parameters, WrongValuesAreRefusedByName) {
  Request asked;
  asked.query = {{"limit", "10x"}, {"from", "-1"}, {"to", "nan"}, {"kind", "object,thing"}};
  EXPECT_THROW(integer_parameter(asked, "limit", 1, 1, 100), HttpError);
  EXPECT_THROW(time_parameter(asked, "from"), HttpError);
  EXPECT_THROW(time_parameter(asked, "to"), HttpError);
  EXPECT_THROW(list_parameter(asked, "kind", {"object", "face"}), HttpError);
}

TEST(Parameters, SecondsAreReadToTheMicrosecond) {
  Request asked;
  asked.query = {{"from", "1.000001"}, {"to", "2"}};
  EXPECT_EQ(range_parameter(asked, "from", "to"), (TimeRange{1'000'001, 2'000'000}));
}

}  // namespace
}  // namespace prismvid::server
