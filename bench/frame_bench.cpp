// What one analysed frame costs, stage by stage, as JSON. Usage: frame_bench VIDEO [FPS]
// The video is decoded as `prismvid analyze` does; the demonstration detector stands for the
// objects stage, so that its whole path is measured. Nothing is stored.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/jpeg.h"
#include "media/open_video.h"
#include "media/prefetching_source.h"
#include "pipeline/frame_pass.h"
#include "pipeline/stages.h"
#include "vision/labels/label_classifier.h"
#include "vision/network/network.h"

namespace {

using namespace prismvid;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

json percentiles(std::vector<float> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {{"p50", at(0.5)}, {"p95", at(0.95)}, {"count", values.size()}};
}

std::vector<pipeline::RunningStage> make_stages(const vision::ModelRegistry& models,
                                                const pipeline::AnalyzeOptions& options) {
  auto plans = pipeline::plan_stages(options, models, std::string(64, '0'), {});
  std::erase_if(plans, [](const auto& plan) { return !pipeline::is_detector(plan.name); });
  std::vector<pipeline::RunningStage> stages;
  pipeline::KeptNetworks kept;
  for (const pipeline::StagePlan& plan : plans) {
    const auto count = static_cast<int>(plans.size());
    stages.push_back({plan.name, make_detector_stage(plan, models, options, count, kept), {}, {}});
  }
  return stages;
}

/// The video as `analyze` decodes it.
media::PrefetchingSource opened(const char* video, const pipeline::AnalyzeOptions& options) {
  media::OpenOptions open_options;
  open_options.exact_pictures_per_second = options.sample_rate;
  return media::PrefetchingSource(media::open_video(video, open_options));
}

double decoding_ms_per_frame(const char* video, const pipeline::AnalyzeOptions& options) {
  media::PrefetchingSource source = opened(video, options);
  int64_t frames = 0;
  const auto start = Clock::now();
  while (source.next()) ++frames;
  return ms_since(start) / static_cast<double>(std::max<int64_t>(1, frames));
}

/// What the labels stage does with each keyframe.
std::vector<float> label_times(const vision::ModelRegistry& models,
                               const std::vector<std::vector<uint8_t>>& keyframes) {
  vision::LabelClassifier classifier(models.require("image_labels"));
  std::vector<float> times;
  for (const auto& jpeg : keyframes) {
    const auto start = Clock::now();
    classifier.classify(decode_jpeg(jpeg));
    times.push_back(static_cast<float>(ms_since(start)));
  }
  return times;
}

json measure(const char* video, const std::string& rate) {
  const auto models = vision::ModelRegistry::standard();
  pipeline::AnalyzeOptions options;
  options.sample_rate = pipeline::parse_rate(rate);
  options.detector = "demo-world-detector";
  options.features = {"shots", "objects", "faces", "ocr"};
  auto stages = make_stages(models, options);
  std::vector<std::vector<uint8_t>> keyframes;
  pipeline::LiveShots shots(vision::make_shot_detector(), [&](size_t, std::vector<uint8_t> jpeg) {
    keyframes.push_back(std::move(jpeg));
  });
  pipeline::FramePass pass({options.sample_rate, 0, true}, shots, stages);
  media::PrefetchingSource source = opened(video, options);
  const auto start = Clock::now();
  pass.run(source, {}, [](int64_t) {});
  const double wall_ms = ms_since(start);

  json result{{"frames", pass.frames()},
              {"samples", pass.samples()},
              {"pass_ms_per_sample", wall_ms / static_cast<double>(pass.samples())}};
  for (pipeline::RunningStage& stage : stages) {
    result["stages"][stage.name] = percentiles(stage.ms_per_sample);
    stage.stage->finish(pass.rest(), pass.end_us());
  }
  result["stages"]["shots"] = percentiles(shots.ms_per_frame());
  result["stages"]["labels"] = percentiles(label_times(models, keyframes));
  std::vector<float> all = pass.ms_per_sample();
  // The first samples prepare the networks for the picture's shape.
  all.erase(all.begin(),
            all.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(all.size())));
  result["detectors"] = percentiles(all);
  result["backend"] = vision::backend_name(vision::Precision::kFast, true);
  result["decoding_ms_per_frame"] = decoding_ms_per_frame(video, options);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: frame_bench VIDEO [FPS]\n";
    return 2;
  }
  std::cout << measure(argv[1], argc > 2 ? argv[2] : "2").dump(1) << '\n';
}
