#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "media/frame_source.h"

namespace prismvid::media {

/// Decodes ahead on a thread of its own, so that decoding and analysis overlap. Frames, their order
/// and errors are those of the wrapped source. next() and info() are for one thread, warnings() for
/// any. info() is the declared one until the end was handed out, then the corrected one. Destroying
/// it stops at once, but for the frame just being decoded.
class PrefetchingSource final : public FrameSource {
 public:
  /// Holds at most `most_frames`, fewer of large pictures: about `most_bytes` of decoded samples.
  explicit PrefetchingSource(std::unique_ptr<FrameSource> source, size_t most_frames = 16,
                             size_t most_bytes = size_t{128} << 20);
  ~PrefetchingSource() override;

  const VideoInfo& info() const override { return info_; }
  std::shared_ptr<const Frame> next() override;
  std::vector<std::string> warnings() const override;

  size_t capacity() const { return capacity_; }

 private:
  struct Item {
    std::shared_ptr<const Frame> frame;  // none = the end or an error
    std::exception_ptr error;
  };

  void run(std::stop_token stop);
  Item decode();

  std::unique_ptr<FrameSource> source_;  // the thread's, except before it starts and after it ended
  size_t capacity_;
  VideoInfo info_;
  bool finished_ = false;
  mutable std::mutex mutex_;  // guards queue_, warnings_
  std::condition_variable_any changed_;
  std::deque<Item> queue_;
  std::vector<std::string> warnings_;
  std::jthread thread_;  // last: stops and joins before the rest goes
};

}  // namespace prismvid::media
