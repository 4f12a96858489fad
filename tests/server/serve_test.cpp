#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/jpeg.h"
#include "served_program.h"
#include "support/synthetic_clip.h"

// From end to end: the program as a service, through real sockets.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class ServeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    fs::create_directories(folder_->path() / "media");
    fs::copy_file(synthetic_clip("-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 -f lavfi -i "
                                 "smptebars=size=320x180:rate=25:duration=2 -filter_complex concat=n=2 "
                                 "-c:v libx264 -pix_fmt yuv420p -movflags +faststart",
                                 "two_pictures.mp4"),
                  media() / "two.mp4");
    const ProcessResult analyzed = run_process({PRISMVID_PROGRAM, "analyze", (media() / "two.mp4").string(), "--db", db(),
                                                "--features", "shots,scenes", "--format", "json"});
    ASSERT_EQ(analyzed.exit_code, 0) << analyzed.err;
    video_ = json::parse(analyzed.out)["video"]["id"];
    server_ = std::make_unique<ServedProgram>(std::vector<std::string>{"--db", db(), "--media", media().string()});
  }

  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }

  static fs::path media() { return folder_->path() / "media"; }
  static std::string db() { return (folder_->path() / "test.db").string(); }
  static std::string video(const std::string& rest = "") { return "/v1/videos/" + video_ + rest; }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<ServedProgram> server_;
  static inline std::string video_;
};

TEST_F(ServeTest, HealthTellsFastAndDeepApart) {
  EXPECT_EQ(server_->get("/v1/health/live").json()["status"], "live");
  const HttpReply ready = server_->get("/v1/health/ready");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.json()["fast"], "ready");
  EXPECT_THAT(ready.json()["deep"].get<std::string>(), testing::AnyOf("ready", "unavailable"));
}

TEST_F(ServeTest, VideosAreListedWithALine) {
  const json list = server_->get("/v1/videos").json();
  ASSERT_EQ(list["videos"].size(), 1u);
  EXPECT_EQ(list["videos"][0]["id"], video_);
  EXPECT_EQ(list["videos"][0]["duration"], 4.0);
  EXPECT_FALSE(list["videos"][0]["line"].get<std::string>().empty());
  EXPECT_EQ(server_->get(list["videos"][0]["thumb"].get<std::string>()).headers["content-type"], "image/jpeg");
  EXPECT_EQ(server_->get("/v1/videos?q=two").json()["total"], 1);
  EXPECT_EQ(server_->get("/v1/videos?q=nothing").json()["total"], 0);
}

TEST_F(ServeTest, PreviewsLieOnASheetThatTheCuesName) {
  const json layout = server_->get(video("/trickplay.json")).json();
  EXPECT_EQ(layout["count"], 4);
  ASSERT_EQ(layout["sheets"].size(), 1u);
  const HttpReply cues = server_->get(video("/trickplay.vtt"));
  EXPECT_THAT(cues.headers.at("content-type"), HasSubstr("text/vtt"));
  EXPECT_THAT(cues.body, HasSubstr("00:00:03.000 --> 00:00:04.000\ntrickplay/0.jpg#xywh=480,0,160,90"));
  const HttpReply sheet = server_->get(video("/trickplay/0.jpg"));
  ASSERT_EQ(sheet.status, 200) << sheet.body;
  EXPECT_EQ(sheet.headers.at("content-type"), "image/jpeg");
  const Image picture = decode_jpeg({reinterpret_cast<const uint8_t*>(sheet.body.data()), sheet.body.size()});
  EXPECT_EQ(picture.size(), (Size{640, 90}));
  EXPECT_EQ(server_->get(video("/trickplay/0.jpg")).body, sheet.body) << "kept";
  EXPECT_EQ(server_->get(video("/trickplay/1.jpg")).status, 404);
  EXPECT_EQ(server_->get(video("/trickplay/x.jpg")).status, 400);
}

TEST_F(ServeTest, TheDocumentComesWholeOrInPartsAndOnlyWhenChanged) {
  const HttpReply whole = server_->get(video());
  ASSERT_EQ(whole.status, 200);
  ASSERT_EQ(whole.json()["shots"].size(), 2u);
  const json part = server_->get(video("?include=scenes")).json();
  EXPECT_TRUE(part.contains("scenes") && part.contains("analysis"));
  EXPECT_FALSE(part.contains("shots"));
  const HttpReply again = server_->get(video(), {"If-None-Match: " + whole.headers.at("etag")});
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  const std::string image = whole.json()["shots"][0]["keyframes"][0]["image"];
  EXPECT_THAT(server_->get(image).body, testing::StartsWith("\xff\xd8")) << image;
}

TEST_F(ServeTest, TheFileComesInRanges) {
  const HttpReply whole = server_->get(video("/stream"));
  ASSERT_EQ(whole.status, 200);
  ASSERT_EQ(whole.body.size(), fs::file_size(media() / "two.mp4"));
  EXPECT_EQ(whole.headers.at("content-type"), "video/mp4");
  const HttpReply part = server_->get(video("/stream"), {"Range: bytes=100-299"});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, whole.body.substr(100, 200));
  EXPECT_EQ(part.headers.at("content-range"), "bytes 100-299/" + std::to_string(whole.body.size()));
  EXPECT_EQ(server_->get(video("/stream"), {"Range: bytes=99999999-"}).status, 416);
  const HttpReply head = call({"HEAD", server_->base() + video("/stream")});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(whole.body.size()));
}

TEST_F(ServeTest, APartComesAsAFileOfItsOwn) {
  const HttpReply clip = server_->get(video("/clip?start=1&end=2"));
  ASSERT_EQ(clip.status, 200) << clip.body;
  EXPECT_EQ(clip.headers.at("content-type"), "video/mp4");
  const fs::path file = folder_->path() / "clip.mp4";
  std::ofstream(file, std::ios::binary) << clip.body;
  const std::string seconds = run_command("ffprobe -v error -show_entries format=duration -of csv=p=0 " + file.string());
  EXPECT_NEAR(std::stod(seconds), 2, 0.1) << "from the key frame at 0";
  EXPECT_EQ(server_->get(video("/clip?start=1")).error_code(), "invalid_parameter");
  EXPECT_EQ(server_->get(video("/clip?start=100&end=101")).error_code(), "invalid_argument");
}

TEST_F(ServeTest, ExportsAreFiles) {
  for (const char* format : {"json", "html", "vtt", "srt", "chapters.vtt", "ffmetadata", "csv", "edl", "otio"}) {
    const HttpReply reply = server_->get(video("/export?format=" + std::string(format)));
    EXPECT_EQ(reply.status, 200) << format << ": " << reply.body;
    EXPECT_THAT(reply.headers.at("content-disposition"), HasSubstr("two.")) << format;
  }
}

TEST_F(ServeTest, TracksComeByRange) {
  EXPECT_TRUE(server_->get(video("/tracks?from=0&to=1")).json()["tracks"].is_array());
  EXPECT_EQ(server_->get(video("/tracks?from=2&to=1")).error_code(), "invalid_parameter");
  EXPECT_EQ(server_->get(video("/tracks.bin")).body.substr(0, 8), "PVTRACK1");
}

TEST_F(ServeTest, ErrorsHaveOneShapeAndTheRightStatus) {
  const auto expect = [&](const HttpReply& reply, int status, const std::string& code) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.error_code(), code) << reply.body;
    EXPECT_FALSE(reply.json()["error"]["message"].get<std::string>().empty());
  };
  expect(server_->get("/v1/nothing"), 404, "no_such_path");
  expect(server_->get("/v1/videos/v_none"), 404, "not_found");
  expect(server_->get(video("?includ=shots")), 400, "unknown_parameter");
  expect(server_->get(video("?include=shot")), 400, "invalid_parameter");
  expect(server_->get("/v1/videos?limit=0"), 400, "invalid_parameter");
  expect(server_->get(video("/export?format=docx")), 400, "invalid_argument");
  expect(server_->send("DELETE", "/v1/videos/v_none", "{}"), 413, "body_not_expected");
  expect(server_->send("PUT", "/v1/videos"), 405, "method_not_allowed");
  expect(server_->get("/v1/videos/%ff%fe/stream"), 404, "not_found");
}

TEST_F(ServeTest, APageOfAnotherSiteIsRefused) {
  EXPECT_EQ(server_->get("/v1/videos", {"Host: evil.example"}).error_code(), "wrong_host");
  EXPECT_EQ(server_->send("DELETE", video(), "", {"Origin: http://evil.example"}).error_code(), "wrong_origin");
  EXPECT_EQ(server_->get(video()).status, 200);
}

TEST_F(ServeTest, ThePageIsServedWithAStrictPolicy) {
  const HttpReply page = server_->get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers.at("content-type"), HasSubstr("text/html"));
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  EXPECT_EQ(page.headers.at("x-content-type-options"), "nosniff");
}

TEST_F(ServeTest, ItStopsWhenAsked) {
  ServedProgram server({"--db", db()});
  EXPECT_EQ(server.get("/v1/health/live").status, 200);
  server.process().signal(SIGTERM);
  EXPECT_EQ(server.process().wait().exit_code, 0);
}

TEST_F(ServeTest, AVideoOutsideTheMediaFoldersIsNotSent) {
  const ServedProgram server({"--db", db()});
  EXPECT_EQ(server.get(video()).status, 200);
  EXPECT_EQ(server.get(video("/stream")).error_code(), "outside_media");
}

TEST(ServeRefusals, ATakenAddressIsNamed) {
  TemporaryFolder folder;
  const std::string db = (folder.path() / "test.db").string();
  const ServedProgram first({"--db", db});
  const std::string address = first.base().substr(std::string("http://").size());
  const ProcessResult second = run_process({PRISMVID_PROGRAM, "serve", "--listen", address, "--db", db});
  EXPECT_EQ(second.exit_code, 6);
  EXPECT_THAT(second.err, HasSubstr(address));
}

TEST(ServeRefusals, OtherMachinesNeedAKey) {
  TemporaryFolder folder;
  const ProcessResult result = run_process(
      {PRISMVID_PROGRAM, "serve", "--listen", "0.0.0.0:0", "--db", (folder.path() / "test.db").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("key"));
}

}  // namespace
}  // namespace prismvid::tests
