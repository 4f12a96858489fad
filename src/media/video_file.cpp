#include "media/video_file.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "media/key_frame_search.h"
#include "media/video_info.h"

namespace prismvid::media {
namespace {

constexpr int64_t kWorthSeekingUs = 3000000;

std::string seconds(int64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(us) * 1e-6);
  return text;
}

// Containers often count the sound too, so only a clear difference is worth a word.
std::string compare_lengths(int64_t declared_us, int64_t decoded_us) {
  const int64_t tolerance = std::max<int64_t>(1000000, declared_us / 20);
  if (declared_us <= 0) return "";
  if (decoded_us < declared_us - tolerance)
    return "the file declares " + seconds(declared_us) + " but its video ends after " +
           seconds(decoded_us) + ": it is truncated or its header is wrong";
  if (decoded_us > declared_us + tolerance)
    return "the file declares " + seconds(declared_us) + " but its video lasts " +
           seconds(decoded_us);
  return "";
}

// Edit lists of MP4 hide samples that its count of frames includes; of other containers the count
// is a promise.
std::string compare_frames(const AVFormatContext& format, const AVStream& stream, int64_t decoded) {
  const bool may_hide_frames = std::string_view(format.iformat->name).substr(0, 4) == "mov,";
  if (may_hide_frames || stream.nb_frames <= decoded + std::max<int64_t>(2, decoded / 20))
    return "";
  return "the file declares " + std::to_string(stream.nb_frames) + " frames but only " +
         std::to_string(decoded) +
         " could be decoded: it is truncated, damaged or its header is wrong";
}

}  // namespace

VideoFile::VideoFile(const std::filesystem::path& path, const OpenOptions& options)
    : path_(path), options_(options) {
  if (options.range)
    check(options.range->start_us >= 0 && options.range->start_us < options.range->end_us,
          ErrorCode::kInvalidArgument, "the range ", format_clock(options.range->start_us), " to ",
          format_clock(options.range->end_us), " is empty");
  start();
  if (options.range && options.range->start_us > 0) skip_to(options.range->start_us);
}

void VideoFile::start() {
  pass_ = std::make_unique<DecodePass>(path_, options_);
  FramePtr first = pass_->next();
  check(first != nullptr, ErrorCode::kNotVideo, "nothing of the video in '", path_.string(),
        "' can be decoded (", pass_->decoder().damaged(),
        " damaged packets): it is truncated or damaged");
  AVFormatContext& format = pass_->demuxer().format();
  AVStream& stream = pass_->stream();
  orientation_ = orientation_of(stream, *first);
  info_ = declared_info(format, stream, *first, orientation_);
  clock_.emplace(stream.time_base, nominal_frame_duration(format, stream),
                 (format.iformat->flags & AVFMT_TS_DISCONT) != 0);
  last_declared_duration_ = frame_duration(*first);
  const int64_t ticks = clock_->next(*first);
  info_.start_pts = clock_->first();
  pass_->set_first(clock_->first());
  pending_ = {std::move(first), 0, ticks};
  next_index_ = 1;
}

void VideoFile::skip_to(int64_t start_us) {
  if (start_us >= kWorthSeekingUs && !seek_to(start_us)) start();
  while (pending_.picture && clock_->microseconds(pending_.ticks) < start_us) advance();
  check(pending_.picture != nullptr, ErrorCode::kInvalidArgument, "the range starts at ",
        format_clock(start_us), " but '", path_.string(), "' ends at ",
        format_clock(info_.duration_us));
}

bool VideoFile::seek_to(int64_t start_us) {
  const int64_t target = clock_->first() + clock_->ticks(start_us);
  const auto key = find_key_frame(path_, pass_->stream().index, clock_->first(), target);
  if (!key || key->index == 0) return false;
  if (!pass_->start_at_key_frame(key->pts, key->dts)) return false;
  clock_->jump();
  do {
    next_index_ = key->index;
    advance();
    // Leading pictures that need what was skipped may come out first, damaged or not.
  } while (pending_.picture && pending_.picture->best_effort_timestamp < key->pts);
  return pending_.picture && pending_.picture->best_effort_timestamp == key->pts;
}

void VideoFile::advance() {
  const int64_t previous = pending_.ticks;
  pending_ = {pass_->next(), next_index_, 0};
  if (!pending_.picture) return finish();
  pending_.ticks = clock_->next(*pending_.picture);
  last_declared_duration_ = frame_duration(*pending_.picture);
  ++next_index_;
  const int64_t step = pending_.ticks - previous;
  shortest_step_ = std::min(shortest_step_, step);
  longest_step_ = std::max(longest_step_, step);
  size_changed_ =
      size_changed_ || Size{pending_.picture->width, pending_.picture->height} != info_.coded_size;
}

void VideoFile::finish() {
  const int64_t duration =
      last_declared_duration_ > 0 ? last_declared_duration_ : clock_->typical_duration();
  end_ticks_ = clock_->last() + duration;
  const int64_t decoded_us = clock_->microseconds(end_ticks_);
  length_warning_ = compare_lengths(info_.duration_us, decoded_us);
  if (length_warning_.empty())
    length_warning_ = compare_frames(pass_->demuxer().format(), pass_->stream(), next_index_);
  if (length_warning_.empty() && pass_->demuxer().ended_early())
    length_warning_ = "the file ends where more should follow: it is truncated";
  info_.duration_us = decoded_us;
  info_.frames = next_index_;
  if (next_index_ < 2) return;
  // A container that rounds to milliseconds or ticks is still of constant rate.
  const int64_t millisecond = std::max<int64_t>(1, clock_->ticks(1050));
  if (!options_.range) info_.variable_frame_rate = longest_step_ - shortest_step_ > millisecond;
  info_.frame_rate =
      counted_frame_rate(info_.frame_rate, next_index_, clock_->microseconds(clock_->last()));
}

std::shared_ptr<const Frame> VideoFile::next() {
  if (!pending_.picture) return nullptr;
  if (options_.range && clock_->microseconds(pending_.ticks) >= options_.range->end_us)
    return nullptr;
  Pending current = std::exchange(pending_, {});
  pending_.ticks = current.ticks;
  advance();
  return presented(std::move(current), pending_.picture ? pending_.ticks : end_ticks_);
}

std::shared_ptr<const Frame> VideoFile::presented(Pending pending, int64_t end_ticks) {
  auto frame =
      std::make_shared<DecodedFrame>(std::move(pending.picture), info_.display_size, orientation_);
  frame->index = pending.index;
  frame->pts_us = clock_->microseconds(pending.ticks);
  frame->duration_us = clock_->microseconds(end_ticks) - frame->pts_us;
  return frame;
}

std::vector<std::string> VideoFile::warnings() const {
  std::vector<std::string> result;
  auto count = [&](int64_t number, const char* what) {
    if (number > 0) result.push_back(std::to_string(number) + what);
  };
  count(pass_->decoder().damaged(),
        " damaged packets or pictures, skipped or concealed by the decoder");
  count(pass_->demuxer().read_errors(), " read errors in the container");
  count(clock_->repaired(), " missing, repeated or jumping timestamps, repaired");
  if (size_changed_)
    result.push_back(
        "the picture size changes within the video; all pictures are shown at the first size");
  if (!length_warning_.empty()) result.push_back(length_warning_);
  return result;
}

std::unique_ptr<FrameSource> open_video(const std::filesystem::path& path,
                                        const OpenOptions& options) {
  return std::make_unique<VideoFile>(path, options);
}

}  // namespace prismvid::media
