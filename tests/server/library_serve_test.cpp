#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "both_databases.h"
#include "served_program.h"
#include "support/face_clip.h"
#include "support/synthetic_clip.h"

// From end to end: keys, uploads, people, edits, search, questions, and what the service says of itself.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class LibraryServeTest : public BothDatabases {
 protected:
  void SetUp() override {
    BothDatabases::SetUp();
    if (!IsSkipped()) fs::create_directories(media());
  }

  /// A film with a line of text, analysed.
  std::string analyze_text_clip() {
    const fs::path clip = synthetic_clip(
        "-f lavfi -i color=c=0x203040:size=640x360:rate=25:duration=2 -vf "
        "\"drawtext=font=DejaVu Sans:text=Guten Morgen:fontsize=48:fontcolor=white:x=(w-tw)/2:y=h-90\" -c:v libx264 -pix_fmt yuv420p",
        "greeting.mp4");
    return analyze(clip, "greeting.mp4", "shots,scenes,ocr");
  }

  std::string analyze_face_clip() { return analyze(face_clip().path, "face.mp4", "shots,faces"); }

  /// Its id.
  std::string analyze(const fs::path& clip, const std::string& name, const std::string& features) {
    fs::copy_file(clip, media() / name);
    const ProcessResult result = run_process({PRISMVID_PROGRAM, "analyze", (media() / name).string(), "--db", db(), "--features", features, "--format", "json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out)["video"]["id"];
  }

  std::string make_key(const std::string& scope) const {
    const ProcessResult result = run_process({PRISMVID_PROGRAM, "keys", "create", "test", "--scope", scope, "--db", db()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.substr(0, result.out.find('\n'));
  }

  static std::vector<std::string> with_key(const std::string& key) {
    return {"Authorization: Bearer " + key, "Content-Type: application/json"};
  }

  static std::string slurp(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path media() const { return folder_.path() / "media"; }
  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--db", db(), "--data", data(), "--media", media().string()});
    return more;
  }
};

TEST_P(LibraryServeTest, KeysAreAskedForScopedAndRevocable) {
  const std::string reader = make_key("read"), writer = make_key("write");
  const ServedProgram server(options({"--require-key"}));
  EXPECT_EQ(server.get("/v1/health/live").status, 200) << "probes need none";
  EXPECT_EQ(server.get("/").status, 200) << "nor does the page itself";
  EXPECT_EQ(server.get("/v1/videos").error_code(), "unauthorized");
  EXPECT_EQ(server.get("/v1/videos", with_key("pv_wrong")).status, 401);
  EXPECT_EQ(server.get("/v1/videos", with_key(reader)).status, 200);
  EXPECT_EQ(server.get("/v1/videos", {"Cookie: a=b; prismvid_key=" + reader}).status, 200);
  const std::string body = R"({"source":{"path":"x.mp4"}})";
  EXPECT_EQ(server.send("POST", "/analyze/video", body, with_key(reader)).error_code(), "insufficient_scope");
  EXPECT_EQ(server.send("POST", "/analyze/video", body, with_key(writer)).status, 404);
  EXPECT_EQ(run_process({PRISMVID_PROGRAM, "keys", "revoke", "k_1", "--db", db()}).exit_code, 0);
  EXPECT_EQ(server.get("/v1/videos", with_key(reader)).status, 401);
  if (!server_) {
    EXPECT_THAT(slurp(db()) + slurp(db() + "-wal"), testing::Not(HasSubstr(writer))) << "only its hash is stored";
  }
}

TEST_P(LibraryServeTest, ABrowserWithAKeyGetsACookieForPicturesAndFilms) {
  const std::string key = make_key("read");
  const ServedProgram server(options({"--require-key"}));
  auto headers = with_key(key);
  EXPECT_FALSE(server.get("/v1/videos", headers).headers.contains("set-cookie"));
  headers.push_back("Sec-Fetch-Site: same-origin");
  EXPECT_THAT(server.get("/v1/videos", headers).headers.at("set-cookie"), HasSubstr("HttpOnly; SameSite=Strict"));
}

TEST_P(LibraryServeTest, OtherMachinesAreServedOnceThereIsAKey) {
  const std::string key = make_key("read");
  BackgroundProcess process({PRISMVID_PROGRAM, "serve", "--listen", "0.0.0.0:0", "--db", db(), "--data", data()});
  std::string port;
  while (port.empty() && process.running()) {
    const std::string out = process.out_so_far();
    const size_t colon = out.rfind(':');
    if (out.ends_with("/\n")) port = out.substr(colon + 1, out.rfind('/') - colon - 1);
  }
  ASSERT_FALSE(port.empty());
  const std::string base = "http://127.0.0.1:" + port;
  EXPECT_EQ(call({"GET", base + "/v1/videos"}).status, 401);
  EXPECT_EQ(call({"GET", base + "/v1/videos", with_key(key)}).status, 200);
}

TEST_P(LibraryServeTest, AnUploadGoesOnWhereItWasCutOffAndIsAnalysed) {
  const std::string file = slurp(synthetic_clip("-f lavfi -i testsrc=size=64x64:rate=25:duration=1 -c:v libx264 -pix_fmt yuv420p", "up.mp4"));
  const size_t half = file.size() / 2;
  std::string id;
  {
    ServedProgram server(options({"--workers", "0"}));
    const HttpReply begun = server.send("POST", "/v1/uploads", json{{"name", "../../holiday.mp4"}, {"bytes", file.size()}}.dump());
    ASSERT_EQ(begun.status, 201) << begun.body;
    id = begun.json()["upload_id"];
    const HttpReply piece = server.send("PATCH", "/v1/uploads/" + id, file.substr(0, half), {"Upload-Offset: 0"});
    EXPECT_EQ(piece.status, 204) << piece.body;
    EXPECT_EQ(piece.headers.at("upload-offset"), std::to_string(half));
    server.process().signal(SIGKILL);
  }
  const ServedProgram server(options());
  const std::string url = "/v1/uploads/" + id;
  EXPECT_EQ(call({"HEAD", server.base() + url}).headers.at("upload-offset"), std::to_string(half));
  const HttpReply wrong = server.send("PATCH", url, "x", {"Upload-Offset: 3"});
  EXPECT_EQ(wrong.error_code(), "wrong_offset");
  const std::string request = json{{"source", {{"upload_id", id}}}, {"features", {"shots"}}}.dump();
  EXPECT_EQ(server.send("POST", "/analyze/video", request).error_code(), "upload_incomplete");
  EXPECT_EQ(server.send("PATCH", url, file.substr(half), {"Upload-Offset: " + std::to_string(half)}).status, 204);
  EXPECT_EQ(server.send("PATCH", url, "more", {"Upload-Offset: " + std::to_string(file.size())}).status, 413);
  const HttpReply job = server.send("POST", "/analyze/video", request);
  ASSERT_EQ(job.status, 202) << job.body;
  server.get(job.json()["events_url"]);
  const std::string video = server.get(job.json()["status_url"]).json()["video_id"];
  EXPECT_EQ(server.get("/v1/videos/" + video).json()["video"]["name"], "holiday.mp4");
  EXPECT_EQ(server.get("/v1/videos/" + video + "/stream").body, file);
  EXPECT_EQ(server.send("DELETE", "/v1/videos/" + video, "", {}).status, 200);
  EXPECT_EQ(server.get(url).status, 404) << "its file goes with the video";
  EXPECT_TRUE(fs::is_empty(data()));
}

TEST_P(LibraryServeTest, ADeletedVideoLeavesNoFramesOnTheDisk) {
  if (server_) GTEST_SKIP() << "they would be in the user's own folder";
  const std::string video = analyze_text_clip();
  const fs::path kept = db() + ".kept", gone = kept / std::string(64, 'a');
  const ServedProgram server(options());
  const std::string content = server.get("/v1/videos/" + video).json()["video"]["sha256"];
  for (const fs::path& folder : {kept / content, gone}) {
    fs::create_directories(folder);
    std::ofstream(folder / "a.clip") << "pixels";
  }
  EXPECT_EQ(server.send("DELETE", "/v1/videos/" + video, "", {}).status, 200);
  EXPECT_FALSE(fs::exists(kept / content));
  const ServedProgram next(options());  // looks for what was deleted elsewhere
  for (int i = 0; i < 200 && fs::exists(gone); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(fs::exists(gone));
}

TEST_P(LibraryServeTest, AFormWithAFileIsAnalysed) {
  const ServedProgram server(options());
  const std::string file = slurp(synthetic_clip("-f lavfi -i testsrc=size=64x64:rate=25:duration=1 -c:v libx264 -pix_fmt yuv420p", "up.mp4"));
  const auto form = [](const std::string& name, const std::string& rest, const std::string& text) {
    return "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"" + rest + "\r\n\r\n" + text + "\r\n";
  };
  const std::string body = form("file", "; filename=\"a.mp4\"", file) + form("request", "", R"({"features":["shots"]})") + "--XX--\r\n";
  const std::vector<std::string> headers = {"Content-Type: multipart/form-data; boundary=XX"};
  const HttpReply job = server.send("POST", "/analyze/video", body, headers);
  ASSERT_EQ(job.status, 202) << job.body;
  server.get(job.json()["events_url"]);
  EXPECT_EQ(server.get(job.json()["status_url"]).json()["state"], "done");
  EXPECT_EQ(server.send("POST", "/analyze/video", form("request", "", "{}") + "--XX--\r\n", headers).error_code(), "invalid_form");
  EXPECT_EQ(server.send("POST", "/analyze/video", form("file", "; filename=\"a\"", "no film") + "--XX--\r\n", headers).error_code(), "not_video");
}

TEST_P(LibraryServeTest, PrivateAddressesAreNotFetchedUnlessAllowed) {
  const std::string video = analyze_text_clip();
  const ServedProgram source(options());
  const std::string request = json{{"source", {{"url", source.base() + "/v1/videos/" + video + "/stream"}}}, {"features", {"shots"}}}.dump();
  const auto run = [&](const ServedProgram& server) {
    const HttpReply job = server.send("POST", "/analyze/video", request);
    EXPECT_EQ(job.status, 202) << job.body;
    server.get(job.json()["events_url"]);
    return server.get(job.json()["status_url"]).json();
  };
  TemporaryFolder other;
  const std::string other_db = (other.path() / "other.db").string();
  {
    const ServedProgram server({"--db", other_db});
    EXPECT_EQ(run(server)["error"]["code"], "private_address");
    EXPECT_EQ(server.send("POST", "/analyze/video", R"({"source":{"url":"file:///etc/passwd"}})").error_code(), "invalid_url");
  }
  const ServedProgram server({"--db", other_db, "--allow-private-urls"});
  const json job = run(server);
  EXPECT_EQ(job["state"], "done") << job;
  EXPECT_EQ(job["video_id"], video) << "the same bytes are the same video";
}

TEST_P(LibraryServeTest, APictureIsRecognisedAndAllFaceDataGoes) {
  const std::string video = "/v1/videos/" + analyze_face_clip();
  const ServedProgram server(options());
  const json people = server.get("/v1/people").json()["people"];
  ASSERT_FALSE(people.empty());
  const fs::path still = media() / "face.jpg";
  ASSERT_EQ(run_process({"ffmpeg", "-v", "error", "-ss", "2", "-i", (media() / "face.mp4").string(), "-frames:v", "1", "-q:v", "2", still.string()}).exit_code, 0);
  std::ifstream file(still, std::ios::binary);
  const std::string picture{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::string> jpeg = {"Content-Type: image/jpeg"};
  const HttpReply recognised = server.send("POST", "/v1/people/recognize", picture, jpeg);
  ASSERT_EQ(recognised.status, 200) << recognised.body;
  ASSERT_FALSE(recognised.json()["faces"].empty());
  EXPECT_EQ(recognised.json()["faces"][0]["person"], people[0]["id"]) << recognised.body;
  EXPECT_EQ(server.send("POST", "/v1/people/recognize", "no picture", jpeg).status, 400);
  const json removed = server.send("DELETE", "/v1/people", "", {}).json()["removed"];
  EXPECT_EQ(removed["people"], people.size());
  EXPECT_GT(removed["vectors"], 0);
  EXPECT_EQ(removed["documents_rewritten"], 1);
  EXPECT_TRUE(server.get("/v1/people").json()["people"].empty());
  EXPECT_TRUE(server.get(video).json()["people"].empty());
  EXPECT_TRUE(server.send("POST", "/v1/people/recognize", picture, jpeg).json()["faces"][0]["person"].is_null());
}

TEST_P(LibraryServeTest, PeopleAreNamedAndTheNameIsTakenBack) {
  analyze_face_clip();
  const ServedProgram server(options());
  const json people = server.get("/v1/people").json()["people"];
  ASSERT_FALSE(people.empty());
  const std::string url = "/v1/people/" + people[0]["id"].get<std::string>();
  EXPECT_THAT(server.get(people[0]["thumb"].get<std::string>()).body, testing::StartsWith("\xff\xd8"));
  const json faces = server.get(url).json()["faces"];
  ASSERT_FALSE(faces.empty());
  EXPECT_THAT(server.get(faces[0]["thumb"].get<std::string>()).body, testing::StartsWith("\xff\xd8"));
  const HttpReply named = server.send("PATCH", url, R"({"name":"Anna"})");
  EXPECT_EQ(named.json()["name"], "Anna");
  const std::string document = "/v1/videos/" + faces[0]["video"].get<std::string>();
  EXPECT_EQ(server.get(document).json()["people"][0]["name"], "Anna");
  EXPECT_EQ(server.get("/v1/search?text=anna").json()["hits"][0]["why"][0]["kind"], "person");
  EXPECT_EQ(server.send("DELETE", "/v1/edits/" + named.json()["edit_id"].get<std::string>(), "", {}).status, 200);
  EXPECT_TRUE(server.get(document).json()["people"][0]["name"].is_null());
  EXPECT_EQ(server.send("PATCH", url, R"({"name":""})").status, 400);
  EXPECT_EQ(server.send("POST", url + "/merge", R"({"from":["p_99"]})").status, 404);
  const HttpReply forgotten = server.send("DELETE", url, "", {});
  EXPECT_GT(forgotten.json()["removed"]["face_tracks"], 0);
  EXPECT_EQ(server.get(url).status, 404);
}

TEST_P(LibraryServeTest, ACorrectedTextStaysThroughANewAnalysis) {
  const std::string video = analyze_text_clip();
  const ServedProgram server(options());
  const auto text = [&] { return server.get("/v1/videos/" + video).json()["texts"][0]; };
  const std::string id = text()["id"];
  const HttpReply edit = server.send("POST", "/v1/videos/" + video + "/edits", json{{"op", "set_text"}, {"target", id}, {"value", "Gute Nacht"}}.dump());
  ASSERT_EQ(edit.status, 201) << edit.body;
  EXPECT_EQ(text()["text"], "Gute Nacht");
  ASSERT_EQ(run_process({PRISMVID_PROGRAM, "analyze", (media() / "greeting.mp4").string(), "--db", db(), "--features", "shots,scenes,ocr", "--force"}).exit_code, 0);
  EXPECT_EQ(text()["text"], "Gute Nacht");
  const std::string undo = "/v1/videos/" + video + "/edits/" + edit.json()["edit_id"].get<std::string>();
  EXPECT_EQ(server.send("DELETE", undo, "", {}).status, 200);
  EXPECT_EQ(text()["text"], "Guten Morgen");
  EXPECT_EQ(server.send("POST", "/v1/videos/" + video + "/edits", R"({"op":"set_text","target":"x_99","value":"a"})").status, 404);
}

TEST_P(LibraryServeTest, WordsAreFoundAndQuestionsAnsweredWithCitations) {
  const std::string video = analyze_text_clip();
  const ServedProgram server(options());
  const json hits = server.get("/v1/search?text=morgen").json()["hits"];
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0]["video"], video);
  EXPECT_THAT(hits[0]["text"].get<std::string>(), HasSubstr("Morgen"));
  EXPECT_EQ(server.send("POST", "/v1/search", R"({"text":"morgen","filters":{"kinds":["caption"]}})").json()["hits"].size(), 0u);
  EXPECT_EQ(server.get("/v1/search").status, 400);
  // A model that is not there: the answer is the search's and says so.
  const std::string question = R"({"question":"When does it say Guten Morgen?","model":"nobody/none")";
  const json answer = server.send("POST", "/v1/videos/" + video + "/ask", question + "}").json();
  EXPECT_EQ(answer["engine"], "search");
  EXPECT_FALSE(answer["degraded"].is_null());
  ASSERT_FALSE(answer["citations"].empty());
  EXPECT_EQ(answer["citations"][0]["video"], video);
  const HttpReply stream = server.send("POST", "/v1/ask", question + R"(,"stream":true})");
  EXPECT_EQ(stream.headers.at("content-type"), "text/event-stream");
  EXPECT_THAT(stream.body, testing::StartsWith("event: found\ndata: {\"citations\":[{\"n\":1,\"video\":\"" + video));
  EXPECT_THAT(stream.body, HasSubstr("event: answer\ndata: {\"answer\":"));
  EXPECT_EQ(server.send("POST", "/v1/videos/v_none/ask", R"({"question":"?"})").status, 404);
  EXPECT_EQ(server.send("POST", "/v1/ask", R"({"question":""})").status, 400);
}

TEST_P(LibraryServeTest, TheDescriptionNamesWhatAnswers) {
  const ServedProgram server(options());
  const json description = server.get("/openapi.json").json();
  EXPECT_EQ(description["openapi"], "3.1.0");
  for (const auto& [path, operations] : description["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      std::string url = path;
      for (size_t open = url.find('{'); open != std::string::npos; open = url.find('{')) url.replace(open, url.find('}') - open + 1, "x_1");
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      const HttpReply reply = server.send(upper, url);
      EXPECT_NE(reply.error_code(), "no_such_path") << method << ' ' << path;
      EXPECT_NE(reply.status, 405) << method << ' ' << path;
      EXPECT_NE(reply.status, 500) << method << ' ' << path << ": " << reply.body;
    }
}

TEST_P(LibraryServeTest, AnalysingAgainAndItsTimeAreKnownFromTheLibrary) {
  const std::string video = analyze_text_clip();
  const ServedProgram server(options());
  const json estimate = server.send("POST", "/v1/estimate", R"({"duration":100})").json();
  EXPECT_GT(estimate["seconds"], 0);
  EXPECT_EQ(estimate["analyses"], 1);
  const HttpReply again = server.send("POST", "/v1/reindex", R"({"only":"all"})");
  ASSERT_EQ(again.json()["jobs"].size(), 1u) << again.body;
  const std::string job = "/v1/jobs/" + again.json()["jobs"][0].get<std::string>();
  server.get(job + "/events");
  EXPECT_EQ(server.get(job).json()["video_id"], video);
  const ServedProgram elsewhere({"--db", db(), "--data", data()});
  EXPECT_EQ(elsewhere.send("POST", "/v1/reindex", "{}").json()["skipped"][0]["code"], "outside_media");
}

TEST_P(LibraryServeTest, TooManyRequestsAreToldToWait) {
  const ServedProgram server(options({"--rate", "1"}));
  int refused = 0;
  for (int i = 0; i < 40 && refused == 0; ++i) refused = server.get("/v1/videos").status == 429;
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(server.get("/v1/videos").headers.at("retry-after"), "1");
}

TEST_P(LibraryServeTest, MetricsCountRequestsAndJobs) {
  const ServedProgram server(options());
  server.get("/v1/videos");
  const std::string metrics = server.get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("prismvid_http_requests_total{method=\"GET\",status=\"200\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("prismvid_jobs{state=\"queued\"} 0"));
}

INSTANTIATE_TEST_SUITE_P(Both, LibraryServeTest, kBothDatabases, database_name);

}  // namespace
}  // namespace prismvid::tests
