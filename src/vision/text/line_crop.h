#pragma once

#include <opencv2/core.hpp>

#include "core/geometry.h"
#include "core/image.h"

namespace prismvid::vision {

/// The quad's content as an upright RGB rectangle; lines at least 1.5 times as high as wide are
/// turned left by 90 degrees, as the recogniser was trained (rapidocr's get_rotate_crop_image).
cv::Mat crop_line(ImageView picture, const Quad& quad);

}  // namespace prismvid::vision
