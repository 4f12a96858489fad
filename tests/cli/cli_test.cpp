#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/face_clip.h"
#include "support/process.h"
#include "support/synthetic_clip.h"

// From end to end: the program as a user would call it.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class CliTest : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PRISMVID_PROGRAM);
    return run_process(arguments);
  }

  ProcessResult analyze(const std::string& video, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"analyze", video, "--db", db(), "--format", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  std::string db() const { return (folder_.path() / "test.db").string(); }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }

  /// Two shots of moving pictures with a cut at 2 s; the second one has a line of text. Every colour is given: ffmpeg
  /// chooses others at random, whatever the seed.
  static std::string two_shots() {
    return synthetic_clip(
               "-f lavfi -i gradients=size=640x360:rate=25:speed=0.02:seed=3:c0=0x204080:c1=0xd0a040 -f lavfi -i testsrc2=size=640x360:rate=25 -filter_complex "
               "\"[0]trim=duration=2,setpts=PTS-STARTPTS[a];[1]trim=duration=2,setpts=PTS-STARTPTS,"
               "drawtext=font=DejaVu Sans:text=Guten Morgen:fontsize=40:fontcolor=white:box=1:boxcolor=black:x=(w-tw)/2:y=h-70[b];"
               "[a][b]concat=n=2\" -c:v libx264 -pix_fmt yuv420p",
               "two_shots.mp4")
        .string();
  }

  TemporaryFolder folder_;
};

std::map<std::string, std::string> statuses(const json& document) {
  std::map<std::string, std::string> result;
  for (const json& stage : document["analysis"]["stages"]) result[stage["name"]] = stage["status"];
  return result;
}

std::string slurp(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(CliTest, FindsShotsAndTextOfAClip) {
  const ProcessResult result = analyze(two_shots());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = json::parse(result.out);
  ASSERT_EQ(document["shots"].size(), 2u);
  EXPECT_EQ(document["shots"][1]["frame_start"], 50);
  EXPECT_EQ(document["shots"][1]["start"], 2.0);
  EXPECT_EQ(document["shots"][1]["transition"]["kind"], "cut");
  const std::string texts = document["texts"].dump();
  EXPECT_THAT(texts, HasSubstr("Guten Morgen"));
}

TEST_F(CliTest, SearchFindsTextOnScreenWithItsTime) {
  ASSERT_EQ(analyze(two_shots(), {"--features", "shots,ocr"}).exit_code, 0);
  const ProcessResult found = run({"search", "guten \"morgen\"", "--db", db(), "--format", "json"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  const json result = json::parse(found.out);
  ASSERT_FALSE(result["hits"].empty());
  const json& hit = result["hits"][0];
  EXPECT_EQ(hit["kind"], "text");
  EXPECT_THAT(std::string(hit["snippet"]), HasSubstr("Guten Morgen"));
  EXPECT_GE(hit["start"], 1.9);
  EXPECT_TRUE(result["stale_videos"].empty());
  EXPECT_TRUE(result["words_only"].is_null()) << result["words_only"];
  const ProcessResult text = run({"search", "morgen", "--db", db(), "--video", two_shots(), "--video", hit["video"]});
  EXPECT_THAT(text.out, HasSubstr("two_shots.mp4"));
  EXPECT_EQ(run({"search", "morgen", "--db", db(), "--until", "2000-01-01"}).out, "Nothing found.\n");
  EXPECT_EQ(run({"search", "morgen", "--db", db(), "--person", "Nobody"}).exit_code, 3);
  EXPECT_EQ(run({"search", "--db", db()}).exit_code, 2);
}

TEST_F(CliTest, SecondRunIsAnsweredFromTheStore) {
  ASSERT_EQ(analyze(two_shots()).exit_code, 0);
  const ProcessResult second = analyze(two_shots());
  ASSERT_EQ(second.exit_code, 0) << second.err;
  for (const auto& [name, status] : statuses(json::parse(second.out)))
    EXPECT_THAT(status, testing::AnyOf("cached", "unavailable")) << name;
}

#if defined(__x86_64__) && defined(__linux__)
TEST_F(CliTest, SecondRunLoadsNeitherDecodersNorThePlugInOfTheNetworks) {
  analyze(two_shots());
  const ProcessResult second = run_process({"env", "LD_DEBUG=files", PRISMVID_PROGRAM, "analyze", two_shots(), "--db", db(), "-q"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr("libsqlite3"));
  for (const char* late : {"libavcodec", "libheif", "libcurl", "libpq", "libmicrohttpd", "openvino_intel_cpu_plugin"})
    EXPECT_THAT(second.err, testing::Not(HasSubstr(late)));
}
#endif

TEST_F(CliTest, AMovedFileKeepsItsResults) {
  ASSERT_EQ(analyze(two_shots(), {"--features", "shots"}).exit_code, 0);
  fs::copy_file(two_shots(), file("elsewhere.mp4"));
  const ProcessResult second = analyze(file("elsewhere.mp4"), {"--features", "shots"});
  EXPECT_EQ(statuses(json::parse(second.out))["shots"], "cached");
}

TEST_F(CliTest, AChangedOptionRunsOnlyWhatDependsOnIt) {
  ASSERT_EQ(analyze(two_shots(), {"--features", "shots,scenes,labels"}).exit_code, 0);
  const ProcessResult second = analyze(two_shots(), {"--features", "shots,scenes,labels,ocr"});
  auto status = statuses(json::parse(second.out));
  EXPECT_EQ(status["shots"], "cached");
  EXPECT_EQ(status["labels"], "cached");
  EXPECT_EQ(status["ocr"], "done");
}

TEST_F(CliTest, ARangeKeepsSourceTime) {
  const ProcessResult result = analyze(two_shots(), {"--features", "shots", "--range", "1-3"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = json::parse(result.out);
  EXPECT_EQ(document["analysis"]["range"]["start"], 1.0);
  EXPECT_EQ(document["analysis"]["range"]["end"], 3.0);
  EXPECT_EQ(document["shots"][0]["frame_start"], 25);
  EXPECT_EQ(document["shots"][1]["start"], 2.0);
}

TEST_F(CliTest, NoFacesMeansNoFaceStage) {
  const json document = json::parse(analyze(two_shots(), {"--no-faces"}).out);
  EXPECT_FALSE(statuses(document).contains("faces"));
  EXPECT_TRUE(document["people"].empty());
}

TEST_F(CliTest, EveryExportFormatIsWritten) {
  ASSERT_EQ(analyze(two_shots()).exit_code, 0);
  for (const char* format : {"json", "html", "vtt", "srt", "chapters", "ffmetadata", "csv", "edl", "otio"}) {
    const ProcessResult result = run({"export", two_shots(), "--format", format, "--db", db()});
    EXPECT_EQ(result.exit_code, 0) << format << ": " << result.err;
    EXPECT_GT(result.out.size(), 10u) << format;
    const ProcessResult to_file = run({"export", two_shots(), "--format", format, "--db", db(), "-o", file("out")});
    EXPECT_EQ(to_file.exit_code, 0) << format;
    EXPECT_EQ(slurp(file("out")), result.out) << format;
  }
}

TEST_F(CliTest, SeveralVideosGoOnAfterABadOne) {
  const std::string bad = write("bad.mp4", "not a video");
  const ProcessResult result = run({"analyze", bad, two_shots(), "--db", db(), "--features", "shots"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.out, HasSubstr("two_shots"));
}

TEST_F(CliTest, AFolderIsSearchedForVideos) {
  fs::create_directory(file("archive"));
  fs::copy_file(two_shots(), file("archive/one.mp4"));
  write("archive/notes.txt", "not a video");
  const ProcessResult result = run({"analyze", file("archive"), "--db", db(), "--features", "shots"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("one.mp4"));
}

TEST_F(CliTest, ErrorsAreOneLineWithADistinctCode) {
  const std::string audio = synthetic_clip("-f lavfi -i sine=duration=1 -c:a aac", "audio_only.m4a").string();
  const TemporaryFolder empty_folder;
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* words;
  };
  const std::vector<Case> cases = {
      {{"analyze", file("nothing.mp4"), "--db", db()}, 3, "nothing.mp4"},
      {{"analyze", empty_folder.path().string(), "--db", db()}, 3, "no video"},
      {{"analyze", write("empty.mp4", ""), "--db", db()}, 4, "empty.mp4"},
      {{"analyze", write("text.mp4", std::string(5000, 'x')), "--db", db()}, 4, "text.mp4"},
      {{"analyze", audio, "--db", db()}, 4, "audio"},
      {{"analyze", two_shots(), "--bogus"}, 2, "--bogus"},
      {{"analyze", two_shots(), "--features", "smells", "--db", db()}, 2, "smells"},
      {{"analyze", two_shots(), "--range", "9-3", "--db", db()}, 2, "range"},
      {{"analyze", two_shots(), "--fps", "0", "--db", db()}, 2, "frame rate"},
      {{"analyze"}, 2, "videos"},
      {{"frobnicate"}, 2, "frobnicate"},
      {{"export", two_shots(), "--format", "gif", "--db", db()}, 2, "gif"},
      {{"export", two_shots(), "--db", db()}, 3, "analyze"},
      {{"analyze", two_shots(), "--db", write("corrupt.db", std::string(9000, 'z'))}, 5, "corrupt.db"},
      {{"analyze", two_shots(), "--db", "/proc/nowhere/x.db"}, 5, "/proc/nowhere"},
  };
  for (const Case& c : cases) {
    const ProcessResult result = run(c.arguments);
    EXPECT_EQ(result.exit_code, c.code) << c.arguments.back() << ": " << result.err;
    EXPECT_THAT(result.err, testing::StartsWith("prismvid: "));
    EXPECT_THAT(result.err, HasSubstr(c.words));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST_F(CliTest, ErrorsAreAnObjectWithFormatJson) {
  const ProcessResult result = analyze(file("nothing.mp4"));
  EXPECT_EQ(result.exit_code, 3);
  const json error = json::parse(result.err);
  EXPECT_EQ(error["error"]["code"], "not_found");
}

TEST_F(CliTest, ATruncatedVideoIsAnalysedAndMarked) {
  const std::string whole = slurp(synthetic_clip("-f lavfi -i testsrc2=size=320x180:rate=25:duration=4 -c:v libx264 -g 25 "
                                                 "-pix_fmt yuv420p",
                                                 "whole.mkv").string());
  const ProcessResult result = analyze(write("cut_off.mkv", whole.substr(0, whole.size() / 2)), {"--features", "shots"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json document = json::parse(result.out);
  EXPECT_FALSE(document["analysis"]["warnings"].empty());
  EXPECT_LT(document["video"]["duration"].get<double>(), 3.5);
}

TEST_F(CliTest, AModelWithTheWrongHashFailsItsStageOnly) {
  const char* models = std::getenv("PRISMVID_MODELS");
  ASSERT_NE(models, nullptr);
  fs::copy(models, file("models"), fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(file("models")))
    if (entry.path().filename().string().find("det") != std::string::npos && fs::exists(entry.path() / "manifest.json")) {
      const json manifest = json::parse(slurp((entry.path() / "manifest.json").string()));
      if (manifest["task"] == "text_detection")
        std::ofstream(entry.path() / manifest["files"][0]["name"].get<std::string>(), std::ios::app) << "damaged";
    }
  const ProcessResult result = run({"analyze", two_shots(), "--db", db(), "--format", "json", "--features", "shots,ocr,labels",
                                    "--models", file("models")});
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("sha256"));
  const json document = json::parse(result.out);
  EXPECT_EQ(statuses(document)["ocr"], "failed");
  EXPECT_EQ(statuses(document)["labels"], "done");
  EXPECT_EQ(document["analysis"]["status"], "partial");
}

TEST_F(CliTest, CheckingModelsLooksAtTheFolderThatWasNamed) {
  const char* models = std::getenv("PRISMVID_MODELS");  // the option wins over it
  ASSERT_NE(models, nullptr);
  fs::create_directory(file("models"));
  fs::copy(fs::path(models) / "ppocr-cls-mobile-v2", file("models/ppocr-cls-mobile-v2"));
  std::ofstream(file("models/ppocr-cls-mobile-v2/model.onnx"), std::ios::app) << "damaged";
  const ProcessResult result = run({"models", "check", "--models", file("models")});
  EXPECT_EQ(result.exit_code, 6) << result.out;
  EXPECT_THAT(result.err, HasSubstr("sha256"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("transnetv2")));
}

TEST_F(CliTest, PeopleAreNamedSplitMergedAndForgotten) {
  const std::string clip = face_clip().path.string();
  ASSERT_EQ(analyze(clip, {"--features", "faces"}).exit_code, 0);
  auto people = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "people");
    arguments.insert(arguments.end(), {"--db", db()});
    return run(arguments);
  };
  auto list = [&] { return json::parse(people({"list", "--format", "json"}).out); };
  ASSERT_EQ(list().size(), 1u) << list();
  EXPECT_EQ(list()[0]["face_tracks"], 2);
  EXPECT_EQ(people({"name", "p_1", "Ada"}).exit_code, 0);
  EXPECT_EQ(list()[0]["name"], "Ada");
  const json faces = json::parse(people({"show", "Ada", "--picture", file("ada.jpg"), "--format", "json"}).out);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_GT(fs::file_size(file("ada.jpg")), 500u);
  const std::string face = std::to_string(faces[1]["face"].get<int>());
  EXPECT_EQ(people({"split", "Ada", face}).exit_code, 0);
  EXPECT_EQ(list().size(), 2u);
  EXPECT_EQ(people({"split", "Ada", face}).exit_code, 3) << "it is somebody else's now";
  EXPECT_EQ(people({"merge", "Ada", "p_2"}).exit_code, 0);
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(json::parse(run({"export", clip, "--db", db()}).out)["people"][0]["name"], "Ada");
  EXPECT_EQ(people({"forget", "Ada"}).exit_code, 0);
  EXPECT_TRUE(list().empty());
  EXPECT_TRUE(json::parse(run({"export", clip, "--db", db()}).out)["people"].empty());
  EXPECT_THAT(slurp(db()), testing::Not(HasSubstr("Ada")));
  ASSERT_EQ(analyze(clip, {"--features", "faces"}).exit_code, 0);
  EXPECT_TRUE(list().empty()) << "who was forgotten does not come back";
}

TEST_F(CliTest, InterruptStopsCleanlyAndLosesNothing) {
  const std::string longer = synthetic_clip(
      "-f lavfi -i testsrc2=size=640x360:rate=25 -t 60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p", "minute.mp4").string();
  ASSERT_EQ(analyze(two_shots(), {"--features", "shots"}).exit_code, 0);
  BackgroundProcess process({PRISMVID_PROGRAM, "analyze", longer, "--db", db(), "--fps", "25"});
  std::this_thread::sleep_for(std::chrono::seconds(2));
  ASSERT_TRUE(process.running());
  process.signal(SIGINT);
  const ProcessResult result = process.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(statuses(json::parse(analyze(two_shots(), {"--features", "shots"}).out))["shots"], "cached");
}

TEST_F(CliTest, AKilledRunIsTakenUpAfterItsLastFinishedStage) {
  const std::string clip = two_shots();
  ASSERT_EQ(analyze(clip, {"--features", "shots"}).exit_code, 0);
  BackgroundProcess process({PRISMVID_PROGRAM, "analyze", clip, "--db", db()});
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  process.signal(SIGKILL);
  process.wait();
  const ProcessResult next = analyze(clip);
  ASSERT_EQ(next.exit_code, 0) << next.err;
  auto status = statuses(json::parse(next.out));
  EXPECT_EQ(status["shots"], "cached");
  EXPECT_THAT(status["ocr"], testing::AnyOf("done", "cached"));
  EXPECT_EQ(run({"export", clip, "--db", db()}).exit_code, 0);
}

TEST_F(CliTest, ProgressForProgramsIsJson) {
  const ProcessResult result = run({"analyze", two_shots(), "--db", db(), "--json-progress", "--features", "shots"});
  ASSERT_EQ(result.exit_code, 0);
  std::istringstream lines(result.err);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(json::parse(line).contains("stage")) << line;
  EXPECT_GT(count, 0);
}

TEST_F(CliTest, HelpDescribesEveryCommandAndExitCode) {
  const ProcessResult help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"analyze", "export", "models", "people", "Exit codes"}) EXPECT_THAT(help.out, HasSubstr(word));
  for (const char* command : {"analyze", "export", "models", "people"})
    EXPECT_THAT(run({command, "--help"}).out, testing::AllOf(HasSubstr("Examples:\n  prismvid " + std::string(command)), HasSubstr("Exit codes")));
}

}  // namespace
}  // namespace prismvid::tests
