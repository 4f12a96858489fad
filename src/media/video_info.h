#pragma once

#include "media/ffmpeg.h"
#include "media/frame_source.h"
#include "media/orientation.h"

namespace prismvid::media {

/// What container, stream and first picture say of a video.
VideoInfo declared_info(AVFormatContext& format, AVStream& stream, AVFrame& first,
                        Orientation orientation);

/// The declared average rate, or that of `frames` whose last is shown at `last_us`, where it
/// differs by more than a hundredth.
Rational counted_frame_rate(Rational declared, int64_t frames, int64_t last_us);

/// Nominal duration of a frame in the stream's time base, at least 1.
int64_t nominal_frame_duration(AVFormatContext& format, AVStream& stream);

/// From the container's display matrix, else from the picture's own.
Orientation orientation_of(const AVStream& stream, const AVFrame& first);

}  // namespace prismvid::media
