#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/image.h"
#include "media/frame_source.h"
#include "media/frame_times.h"

namespace prismvid::media {

/// What was made of one frame.
struct ChosenPicture {
  int64_t index = 0;  // of the frame, as Frame
  int64_t pts_us = 0;
  std::shared_ptr<const Image> picture;
};

/// Gives what is made of chosen frames, in their order. Not thread-safe.
class PictureSource {
 public:
  virtual ~PictureSource() = default;
  /// nullopt behind the last. Throws what open_video() throws, Error(kNotVideo) for a file that has
  /// become shorter, and what making the picture threw.
  virtual std::optional<ChosenPicture> next() = 0;
};

/// Makes a picture of a frame; called from several threads at once.
using MakePicture = std::function<Image(const Frame& frame)>;

/// Of the frames with these indices (ascending, distinct), each once, decoding few others: what no
/// chosen frame needs is skipped where the packets are known, and several stretches between key
/// frames are decoded side by side, ahead of what is asked for, each thread making its own
/// pictures. A frame that is damaged is replaced by the one before it. Throws what open_video()
/// throws.
std::unique_ptr<PictureSource> open_chosen_pictures(const std::filesystem::path& path,
                                                    std::shared_ptr<const FrameTimes> times,
                                                    const std::vector<int64_t>& indices,
                                                    MakePicture make);

/// Gives `take` the picture of each of the frames at `indices` (ascending): of one that stands
/// there several times the same picture as often. False: `take` returned that and got no more.
/// Throws what PictureSource throws, and what `take` throws.
bool for_each_chosen_picture(const std::filesystem::path& path,
                             std::shared_ptr<const FrameTimes> times,
                             const std::vector<int64_t>& indices, MakePicture make,
                             const std::function<bool(const ChosenPicture&)>& take);

/// The displayed picture, in its own size.
Image whole_picture(const Frame& frame);

}  // namespace prismvid::media
