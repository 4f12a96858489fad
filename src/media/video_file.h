#pragma once

#include <string>
#include <vector>

#include "media/decode_pass.h"
#include "media/decoded_frame.h"
#include "media/frame_clock.h"
#include "media/open_video.h"

namespace prismvid::media {

/// The FrameSource behind open_video().
class VideoFile final : public FrameSource {
 public:
  VideoFile(const std::filesystem::path& path, const OpenOptions& options);

  const VideoInfo& info() const override { return info_; }
  std::shared_ptr<const Frame> next() override;
  std::vector<std::string> warnings() const override;

 private:
  // A picture that waits for the next one to tell its duration.
  struct Pending {
    FramePtr picture;
    int64_t index = 0;
    int64_t ticks = 0;
  };

  void start();  // opens the file and decodes its first picture
  void skip_to(int64_t start_us);
  bool seek_to(int64_t start_us);
  void advance();  // pending_ = the next picture, none at the end
  void finish();
  std::shared_ptr<const Frame> presented(Pending pending, int64_t end_ticks);

  std::filesystem::path path_;
  OpenOptions options_;
  std::unique_ptr<DecodePass> pass_;
  std::optional<FrameClock> clock_;
  VideoInfo info_;
  Orientation orientation_;
  Pending pending_;
  int64_t next_index_ = 0;
  int64_t last_declared_duration_ = 0;  // of the newest picture, in ticks; 0 when not known
  int64_t end_ticks_ = 0;               // of the last picture, once the end was reached
  int64_t shortest_step_ = INT64_MAX;   // between pictures, in ticks
  int64_t longest_step_ = 0;
  bool size_changed_ = false;
  std::string length_warning_;
};

}  // namespace prismvid::media
