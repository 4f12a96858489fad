#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/media_time.h"
#include "media/frame_times.h"

namespace prismvid::deep {

class ClipCache;
class Model;
struct ClipKey;

/// Frames of a part of a video in the size the model gets them, with the times of those frames.
struct Clip {
  TimeRange range;
  std::vector<std::shared_ptr<const Image>> frames;
  std::vector<int64_t> times_us;
};

/// Times at which a clip of `range` is looked at: from its start, evenly, at most `most`, at least
/// four (those behind its end show its last frame again, as in training).
std::vector<int64_t> sample_times(const TimeRange& range, double frames_per_second, int most);

/// How frames are found: by the times of all, for which the file is read through once, or of each
/// clip's alone, which is less for one clip of a long video.
enum class FrameSearch { kAllTimes, kSeeking };

/// Reads clips of one video. Not thread-safe.
class ClipReader {
 public:
  /// `model` must outlive this. What it was shown lately of a file with the hash `content` is not
  /// decoded again; without a hash all is.
  ClipReader(std::filesystem::path video, std::string content, const Model& model,
             FrameSearch search);

  /// The frames nearest to sample_times(), several decoded at once. Throws what media::open_video()
  /// throws, Error(kCancelled) when stopped, Error(kNotVideo) where the range holds no frame.
  std::shared_ptr<const Clip> read(const TimeRange& range, std::stop_token stop = {});

  /// read() of each range, in their order. Where they ascend and the times of all frames are known,
  /// frames are decoded side by side across the ranges' borders.
  void read_each(const std::vector<TimeRange>& ranges,
                 const std::function<void(std::shared_ptr<const Clip>)>& take,
                 std::stop_token stop = {});

  /// The same at the times given (ascending).
  std::shared_ptr<const Clip> read(const TimeRange& range, const std::vector<int64_t>& times_us,
                                   std::stop_token stop = {});

 private:
  std::shared_ptr<const Clip> decode(const TimeRange& range, const std::vector<int64_t>& times_us,
                                     const std::stop_token& stop);
  void decode_each(std::span<const TimeRange> ranges,
                   const std::function<void(std::shared_ptr<const Clip>)>& take,
                   const std::stop_token& stop);
  std::vector<int64_t> times_of(const TimeRange& range) const;
  ClipKey key_of(const TimeRange& range, const std::vector<int64_t>& times_us) const;
  ClipCache* cache() const;  // nullptr where nothing is kept
  Image shown(const media::Frame& frame, size_t frames) const;
  void find_times();

  std::filesystem::path video_;
  std::string content_;
  const Model& model_;
  FrameSearch search_;
  std::shared_ptr<const media::FrameTimes> times_;  // null: by seeking, or not read yet
};

/// The frame at each of `times_us` (ascending), in its display size.
std::vector<std::shared_ptr<const Image>> read_pictures(const std::filesystem::path& video,
                                                        const std::vector<int64_t>& times_us,
                                                        std::stop_token stop = {});

}  // namespace prismvid::deep
