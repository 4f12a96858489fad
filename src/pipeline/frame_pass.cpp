#include "pipeline/frame_pass.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace prismvid::pipeline {
namespace {

template <typename Work>
float measured_ms(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void add_to(RunningStage& running, const vision::Sample& sample, std::span<const vision::LumaFrame> frames) {
  if (running.error) return;
  running.ms_per_sample.push_back(measured_ms([&] {
    try {
      running.stage->add(sample, frames);
    } catch (const Error& error) {
      running.error = error;
    }
  }));
}

}  // namespace

FramePass::FramePass(const FramePassOptions& options, ShotFollower& shots, std::vector<RunningStage>& stages)
    : options_(options), shots_(shots), stages_(stages), team_(std::make_unique<ThreadTeam>(stages.size())) {
  needs_luma_ = std::any_of(stages.begin(), stages.end(), [](const RunningStage& s) { return s.stage->needs_luma(); });
}

void FramePass::run(media::FrameSource& source, std::stop_token stop,
                    const std::function<void(int64_t pts_us)>& on_progress) {
  while (const auto frame = source.next()) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    take(*frame);
    hand_on(shots_.settled_until_us());
    on_progress(frame->pts_us);
  }
  shots_.finish();
  hand_on(std::numeric_limits<int64_t>::max());
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
  const vision::Sample sample{waiting.frame, waiting.pts_us, shots_.shot_index_at(waiting.pts_us), waiting.sample,
                              waiting.duration_us};
  ++samples_;
  ms_per_sample_.push_back(measured_ms([&] {
    team_->run(stages_.size(), [&](size_t, size_t i) { add_to(stages_[i], sample, luma_); });
  }));
  luma_.clear();
}

}  // namespace prismvid::pipeline
