#include "pipeline/frame_pass.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace prismvid::pipeline {
namespace {

/// Samples that wait for each detector: two seconds of video, some 40 MB.
constexpr size_t kMostWaiting = 4;

}  // namespace

FramePass::FramePass(const FramePassOptions& options, ShotFollower& shots, std::vector<RunningStage>& stages)
    : options_(options), shots_(shots), stages_(stages) {
  needs_luma_ = std::any_of(stages.begin(), stages.end(), [](const RunningStage& s) { return s.stage->needs_luma(); });
}

void FramePass::run(media::FrameSource& source, std::stop_token stop,
                    const std::function<void(int64_t pts_us)>& on_progress) {
  for (RunningStage& stage : stages_) workers_.push_back(std::make_unique<StageWorker>(stage, kMostWaiting));
  while (const auto frame = source.next()) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    take(*frame);
    hand_on(shots_.settled_until_us());
    on_progress(frame->pts_us);
  }
  shots_.finish();
  hand_on(std::numeric_limits<int64_t>::max());
  for (const auto& worker : workers_) worker->wait();
  keep_early_blobs();
  workers_.clear();
}

/// The first frame at or after each tick of the sample rate is analysed: exact for any rate, and for variable frame rates.
bool FramePass::is_due(int64_t pts_us) {
  const Rational rate = options_.sample_rate;  // parse_rate() keeps the product far below 2^63 for days of video
  const int64_t tick = (pts_us - options_.start_us) * rate.numerator / (rate.denominator * 1'000'000);
  if (tick <= last_tick_) return false;
  last_tick_ = tick;
  return true;
}

void FramePass::take(const media::Frame& frame) {
  ++frames_;
  end_us_ = frame.pts_us + frame.duration_us;
  const bool candidate = shots_.add(frame);
  const bool due = is_due(frame.pts_us);
  Waiting waiting{frame.index, frame.pts_us, frame.duration_us, {}, {}, {}};
  const Size display = frame.display_size();
  if (due && !stages_.empty()) waiting.sample = frame.rgb(fit_within(display, vision::kSampleSide));
  if (shots_.wants_candidates() && (due || candidate))
    waiting.candidate = frame.rgb(fit_within(display, kCandidateSide));
  if (needs_luma_) waiting.luma = frame.luma(fit_within(display, vision::kLumaSide));
  if (!waiting.sample.empty() || !waiting.candidate.empty() || !waiting.luma.empty())
    waiting_.push_back(std::move(waiting));
}

void FramePass::hand_on(int64_t before_us) {
  while (!waiting_.empty() && waiting_.front().pts_us < before_us) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (!waiting.candidate.empty()) shots_.add_candidate(waiting.frame, waiting.pts_us, waiting.candidate);
    if (!waiting.luma.empty()) luma_.push_back({waiting.frame, waiting.pts_us, std::move(waiting.luma)});
    if (!waiting.sample.empty()) analyse(waiting);
  }
  shots_.close_settled();
}

void FramePass::analyse(Waiting& waiting) {
  auto work = std::make_shared<SampleWork>();
  work->picture = std::move(waiting.sample);
  work->sample = {waiting.frame, waiting.pts_us, shots_.shot_index_at(waiting.pts_us), work->picture, waiting.duration_us};
  work->frames = std::exchange(luma_, {});
  ++samples_;
  const Clock clock;
  for (const auto& worker : workers_) worker->push(work);
  if (options_.one_at_a_time)
    for (const auto& worker : workers_) worker->wait();
  ms_per_sample_.push_back(static_cast<float>(clock.ms_since_start()));
  keep_early_blobs();
}

/// On this thread, since stores are for one.
void FramePass::keep_early_blobs() {
  for (size_t i = 0; i < workers_.size(); ++i)
    for (const Blob& blob : workers_[i]->take_early_blobs())
      if (options_.keep_early) options_.keep_early(stages_[i].name, blob);
}

}  // namespace prismvid::pipeline
