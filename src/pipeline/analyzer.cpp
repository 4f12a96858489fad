#include "pipeline/analyzer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/sha256.h"
#include "document/build.h"
#include "document/json.h"
#include "media/open_video.h"
#include "media/prefetching_source.h"
#include "pipeline/assemble.h"
#include "pipeline/clock.h"
#include "pipeline/deep_half.h"
#include "pipeline/file_identity.h"
#include "pipeline/frame_pass.h"
#include "pipeline/identities.h"
#include "pipeline/library_search.h"
#include "pipeline/plan.h"
#include "pipeline/probe.h"
#include "pipeline/stage_ledger.h"
#include "pipeline/stages.h"
#include "store/cache_key.h"

namespace prismvid::pipeline {
namespace {

namespace fs = std::filesystem;

double sum(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Tells the caller where an analysis is.
class Reporter {
 public:
  Reporter(const ProgressCallback& on_progress, std::string video, std::stop_token stop)
      : on_progress_(on_progress), video_(std::move(video)), stop_(std::move(stop)) {}

  /// Throws Error(kCancelled) when the caller wants to stop.
  void start(const std::string& stage_name) {
    check(!stop_.stop_requested(), ErrorCode::kCancelled, "interrupted");
    stage_ = stage_name;
    clock_ = Clock();
    report(0, 0);
  }

  void report(int64_t media_us, int64_t total_us) const {
    if (!on_progress_) return;
    Progress progress{video_, stage_, media_us, total_us, 0, -1};
    const double elapsed = clock_.seconds_since_start();
    if (media_us > 0 && elapsed > 0.5) {
      progress.times_realtime = static_cast<double>(media_us) / 1e6 / elapsed;
      const int64_t left_us = std::max<int64_t>(0, total_us - media_us);
      if (total_us > 0) progress.seconds_left = static_cast<double>(left_us) / 1e6 / progress.times_realtime;
    }
    on_progress_(progress);
  }

  double stage_ms() const { return clock_.ms_since_start(); }
  const std::stop_token& stop() const { return stop_; }

 private:
  const ProgressCallback& on_progress_;
  std::string video_;
  std::string stage_;
  std::stop_token stop_;
  Clock clock_;
};

/// One analysis of one video, from the file to the document.
class Run {
 public:
  Run(store::Store& store, const vision::ModelRegistry& models, deep::ModelProvider& deep_models, LibrarySearch& library,
      KeptNetworks& networks, const fs::path& path, const AnalyzeOptions& options, const ProgressCallback& on_progress, std::stop_token stop)
      : store_(store),
        models_(models),
        deep_models_(deep_models),
        library_(library),
        networks_(networks),
        path_(fs::absolute(path)),
        options_(options),
        reporter_(on_progress, path_.filename().string(), std::move(stop)) {}

  document::Document analyze() {
    identify();
    StageLedger ledger(store_, video_.id, plan_stages(options_, models_, video_.sha256, path_), options_.force);
    ledger.add_probe(store::cache_key({video_.sha256, {}, stage::kProbe, kProbeVersion, {}, "native", "{}", {}}), probe_cached_);
    const std::string id = "a_" + sha256_hex(video_.id + std::to_string(clock_.nanoseconds())).substr(0, 16);
    store_.start_run({id, video_.id, "running", request_json(), {}, {}, {}});
    try {
      run_missing(ledger);
      if (options_.deep.mode != DeepMode::kOff) run_deep(id, ledger);
      document::Document document = finish(id, ledger);
      store_.finish_run(id, document.analysis.status, "");
      return document;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kStore)
        store_.finish_run(id, error.code() == ErrorCode::kCancelled ? "cancelled" : "failed", error.what());
      throw;
    }
  }

 private:
  /// Finds the content hash, from the store where the file is unchanged, and what is known of the video.
  void identify() {
    const store::FileIdentity file = identify_file(path_);
    auto sha256 = store_.known_hash(file);
    if (!sha256) {
      reporter_.start("hash");
      sha256 = sha256_file(path_, reporter_.stop());
    }
    video_ = {document::video_id(*sha256), *sha256, file.path, file.size, {}, {}};
    if (const auto known = store_.find_video(*sha256); known && !known->probe_json.empty()) {
      video_.probe_json = known->probe_json;
      info_ = decode_probe(known->probe_json);
      probe_cached_ = true;
    } else {
      reporter_.start("probe");
      open();
    }
    video_ = store_.put_video(video_);
    store_.remember_file(file, *sha256);
  }

  /// Opens the video for the pass; the first time this also tells what it is.
  void open() {
    media::OpenOptions open_options;
    open_options.range = options_.range;
    open_options.threads = options_.threads;
    open_options.hardware = options_.hardware;
    open_options.exact_pictures_per_second = options_.sample_rate;
    source_ = media::open_video(path_, open_options);
    if (probe_cached_) return;
    info_ = source_->info();
    video_.probe_json = encode_probe(info_);
  }

  void run_missing(StageLedger& ledger) {
    const auto& plans = ledger.plans();
    if (std::any_of(plans.begin(), plans.end(), [&](const StagePlan& plan) { return needs_frames(plan, ledger); })) run_frame_pass(ledger);
    source_.reset();
    run_simple(ledger, stage::kScenes, [&](const StagePlan&) { return run_scenes(stored_shots(ledger)); });
    for (const char* name : {stage::kLabels, stage::kPlaces})
      run_simple(ledger, name, [&](const StagePlan& plan) { return run_labels(plan, options_, stored_shots(ledger)); });
    run_simple(ledger, stage::kTranscript, [&](const StagePlan&) { return run_transcript(path_, options_.range); });
    if (ledger.has_result(stage::kFaces)) {
      const StagePlan& faces = ledger.plan(stage::kFaces);
      match_people(store_, video_.id, faces.cache_key, faces.models.back());
    }
  }

  static bool needs_frames(const StagePlan& plan, const StageLedger& ledger) {
    return (plan.name == stage::kShots || is_detector(plan.name)) && ledger.is_missing(plan.name);
  }

  /// Shots with their keyframe pictures.
  std::vector<Shot> stored_shots(const StageLedger& ledger) {
    const auto output = store_.load_stage(ledger.plan(stage::kShots).cache_key);
    check(output.has_value(), ErrorCode::kStore, "the stored shots are gone: run the analysis again");
    return document::decode_shots(*output).shots;
  }

  /// A stage that reads stored results; `work` gives its output.
  template <typename Work>
  void run_simple(StageLedger& ledger, const std::string& name, Work work) {
    if (!ledger.is_missing(name)) return;
    reporter_.start(name);
    try {
      verify_models(ledger.plan(name));
      const StageOutput output = work(ledger.plan(name));
      ledger.keep(name, output, {reporter_.stage_ms(), 0, {}, {}});
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kStore) throw;
      ledger.mark_failed(name, error);
    }
  }

  /// Checks the files of a stage's models against their manifests; throws Error(kModel).
  void verify_models(const StagePlan& plan) const {
    for (const vision::ModelManifest& model : plan.models) models_.require(model.task, model.id);
  }

  /// Networks are compiled side by side: one uses a single core.
  std::vector<RunningStage> make_detectors(StageLedger& ledger) {
    const auto is_wanted = [&](const StagePlan& plan) { return is_detector(plan.name) && ledger.is_missing(plan.name); };
    const auto wanted = static_cast<int>(std::count_if(ledger.plans().begin(), ledger.plans().end(), is_wanted));
    std::vector<std::pair<std::string, std::future<std::unique_ptr<DetectorStage>>>> making;
    for (const StagePlan& plan : ledger.plans())
      if (is_wanted(plan))
        making.emplace_back(plan.name, std::async(std::launch::async, [this, &plan, wanted] {
                              verify_models(plan);
                              return make_detector_stage(plan, models_, options_, wanted, networks_);
                            }));
    std::vector<RunningStage> running;
    for (auto& [name, stage] : making) {
      try {
        running.push_back({name, stage.get(), {}, {}});
      } catch (const Error& error) {
        ledger.mark_failed(name, error);
      }
    }
    return running;
  }

  std::unique_ptr<LiveShots> make_live_shots(const StagePlan& plan) {
    verify_models(plan);
    return std::make_unique<LiveShots>(make_shots(plan, options_), [this, key = plan.cache_key](size_t keyframe, std::vector<uint8_t> jpeg) {
      store_.put_early_blob(video_.id, key, {keyframe_blob(keyframe), std::move(jpeg)});
    });
  }

  void run_frame_pass(StageLedger& ledger) {
    for (const StagePlan& plan : ledger.plans())
      if (needs_frames(plan, ledger)) store_.discard_early_blobs(plan.cache_key);  // of a run that was killed
    reporter_.start("models");
    std::vector<RunningStage> running = make_detectors(ledger);
    std::unique_ptr<LiveShots> live;
    std::unique_ptr<KnownShots> known;
    if (ledger.is_missing(stage::kShots)) {
      live = make_live_shots(ledger.plan(stage::kShots));
    } else {
      known = std::make_unique<KnownShots>(stored_shots(ledger));
    }
    if (!source_) open();
    media::PrefetchingSource source(std::move(source_));
    ShotFollower& follower = live ? static_cast<ShotFollower&>(*live) : *known;
    const int64_t start_us = options_.range ? options_.range->start_us : 0;
    const int64_t end_us = options_.range ? std::min(options_.range->end_us, info_.duration_us) : info_.duration_us;
    const auto keep_early = [&](const std::string& name, const Blob& blob) {
      store_.put_early_blob(video_.id, ledger.plan(name).cache_key, blob);
    };
    FramePass pass({options_.sample_rate, start_us, false, keep_early}, follower, running);
    reporter_.start("frames");
    pass.run(source, reporter_.stop(), [&](int64_t pts_us) { reporter_.report(pts_us - start_us, end_us - start_us); });
    if (!options_.range) correct_probe(source.info());
    if (live) keep_shots(ledger, *live, pass.frames(), source.warnings());
    std::vector<std::future<StageOutput>> ending;
    for (RunningStage& stage : running) ending.push_back(std::async(std::launch::async, [&] { return ended(stage, pass); }));
    for (size_t i = 0; i < running.size(); ++i) keep_detector(ledger, running[i], ending[i], pass.samples(), source.warnings());
  }

  /// Containers lie about duration and frame count: what was decoded is right.
  void correct_probe(const media::VideoInfo& info) {
    info_ = info;
    video_.probe_json = encode_probe(info);
    video_ = store_.put_video(video_);
  }

  static void keep_shots(StageLedger& ledger, const LiveShots& live, int64_t frames, const std::vector<std::string>& warnings) {
    ledger.keep(stage::kShots, document::encode_shots(live.value()), {live.wall_ms(), frames, live.ms_per_frame(), warnings});
  }

  static StageOutput ended(RunningStage& running, const FramePass& pass) {
    if (running.error) throw Error(*running.error);
    return running.stage->finish(pass.rest(), pass.end_us());
  }

  static void keep_detector(StageLedger& ledger, const RunningStage& running, std::future<StageOutput>& output, int64_t samples,
                            const std::vector<std::string>& warnings) {
    try {
      ledger.keep(running.name, output.get(), {sum(running.ms_per_sample), samples, running.ms_per_sample, warnings});
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kStore) throw;
      ledger.mark_failed(running.name, error);
    }
  }

  /// Reads the fast half's document, which tells the model what is known.
  void run_deep(const std::string& id, StageLedger& ledger) {
    const document::Document known = assemble(store_, describe_video(video_, info_), describe_analysis(id, ledger));
    const int64_t total_us = known.analysis.range.duration_us();
    const bool is_first = !store_.latest_document(video_.id);
    const DeepHooks hooks{[&](const std::string& name) {
                            if (is_first) publish_finished(id, ledger);
                            reporter_.start(name);
                          },
                          [&](int64_t media_us) { reporter_.report(media_us, total_us); }, reporter_.stop()};
    DeepHalf(store_, deep_models_, options_).run(path_, known, ledger, hooks);
  }

  /// What is finished of a new video can be read while the deep half runs; an earlier document is worth more, and stays.
  void publish_finished(const std::string& id, const StageLedger& ledger) {
    document::Analysis analysis = describe_analysis(id + "early", ledger);
    std::erase_if(analysis.stages, [](const document::Stage& stage) {
      return stage.status == document::StageStatus::kQueued || stage.status == document::StageStatus::kRunning;
    });
    for (const std::string& name : deep_stages(options_.deep.features))
      if (ledger.has_result(name)) analysis.features.push_back(name);
    put(assemble(store_, describe_video(video_, info_), analysis));
  }

  document::Document finish(const std::string& id, const StageLedger& ledger) {
    document::Analysis analysis = describe_analysis(id, ledger);
    if (options_.deep.mode != DeepMode::kOff) {
      analysis.profile = "deep";
      analysis.language = options_.deep.language;
      for (const std::string& name : deep_stages(options_.deep.features)) analysis.features.push_back(name);
    }
    document::Document document = assemble(store_, describe_video(video_, info_), analysis);
    put(document);
    return document;
  }

  void put(const document::Document& document) {
    store_.put_document({document.analysis.id, video_.id, document.analysis.status, document::to_text(document::to_json(document)), {}});
    make_searchable(document);
  }

  /// What fails here is tried again before the next search.
  void make_searchable(const document::Document& document) {
    try {
      library_.update(store_, &document);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kStore) throw;
      spdlog::warn("the search index is behind: {}", error.what());
    }
  }

  document::Analysis describe_analysis(const std::string& id, const StageLedger& ledger) const {
    document::Analysis analysis;
    analysis.id = id;
    analysis.profile = "fast";
    for (const std::string& name : kFeatures)
      if (options_.features.contains(name)) analysis.features.push_back(name);
    analysis.stages = ledger.entries();
    analysis.warnings = ledger.warnings();
    analysis.created_at = created_at_;
    analysis.finished_at = clock_.rfc3339();
    analysis.wall_seconds = clock_.seconds_since_start();
    return analysis;
  }

  std::string request_json() const {
    const nlohmann::json request = {{"features", options_.features},
                                    {"fps", options_.sample_rate.value()},
                                    {"accurate_shots", options_.accurate_shots}};
    return request.dump();
  }

  store::Store& store_;
  const vision::ModelRegistry& models_;
  deep::ModelProvider& deep_models_;
  LibrarySearch& library_;
  KeptNetworks& networks_;
  fs::path path_;
  const AnalyzeOptions& options_;
  Reporter reporter_;
  Clock clock_;
  std::string created_at_ = clock_.rfc3339();
  store::VideoRecord video_;
  media::VideoInfo info_;
  bool probe_cached_ = false;
  std::unique_ptr<media::FrameSource> source_;
};

}  // namespace

document::Document Analyzer::analyze(const fs::path& video, const AnalyzeOptions& options, const ProgressCallback& on_progress,
                                     std::stop_token stop) {
  return Run(store_, models_, deep_models_, library_, networks_, video, options, on_progress, std::move(stop)).analyze();
}

store::DocumentRecord require_analysis(store::Store& store, const std::string& video_id) {
  const auto record = store.latest_document(video_id);
  check(record.has_value(), ErrorCode::kNotFound, "video ", video_id, " has no analysis: run 'prismvid analyze' first");
  return *record;
}

document::Document latest_document(store::Store& store, const std::string& video_id) {
  const document::Document stored = document::parse_document(require_analysis(store, video_id).json);
  return assemble(store, stored.video, stored.analysis);
}

store::VideoRecord require_video(store::Store& store, const std::string& name) {
  if (auto video = store.find_video(name)) return *video;
  std::error_code error;
  if (fs::is_regular_file(name, error)) {
    const store::FileIdentity file = identify_file(name);
    const auto known = store.known_hash(file);
    if (auto video = store.find_video(known ? *known : sha256_file(name))) return *video;
  } else if (auto video = store.find_video_at(fs::absolute(name).string())) {
    return *video;  // the file is gone, its results are not
  }
  fail(ErrorCode::kNotFound, "'", name, "' was not analysed yet: run 'prismvid analyze' first");
}

}  // namespace prismvid::pipeline
