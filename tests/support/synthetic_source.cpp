#include "support/synthetic_source.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "media/area_average.h"

namespace prismvid::tests {
namespace {

class PictureFrame final : public media::Frame {
 public:
  explicit PictureFrame(Image picture) : picture_(std::move(picture)) {}

  Size display_size() const override { return picture_.size(); }
  Image rgb(Size size) const override {
    return size == picture_.size() ? picture_ : media::area_average(picture_.view(), size);
  }
  Image luma(Size size) const override {
    const Image small = rgb(size);
    Image result(size.width, size.height, 1);
    for (int64_t i = 0; i < int64_t{size.width} * size.height; ++i) {
      const uint8_t* p = small.data() + 3 * i;  // BT.709
      result.data()[i] = static_cast<uint8_t>(0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2] + 0.5);
    }
    return result;
  }

 private:
  Image picture_;
};

class SyntheticSource final : public media::FrameSource {
 public:
  SyntheticSource(const SyntheticOptions& options, Painter painter)
      : options_(options), painter_(std::move(painter)) {
    check(options.pts_us.empty() || static_cast<int64_t>(options.pts_us.size()) == options.frames,
          ErrorCode::kInvalidArgument, "a synthetic clip needs one pts a frame, got ",
          options.pts_us.size());
    info_.container = "synthetic";
    info_.codec = "none";
    info_.coded_size = info_.display_size = options.size;
    info_.frame_rate = options.frame_rate;
    info_.time_base = {1, 1000000};
    info_.duration_us = pts_us(options.frames);
    info_.frames = options.frames;
    info_.variable_frame_rate = !options.pts_us.empty();
  }

  const media::VideoInfo& info() const override { return info_; }
  std::vector<std::string> warnings() const override { return options_.warnings; }
  std::shared_ptr<const media::Frame> next() override {
    if (index_ == options_.frames) return nullptr;
    Image picture(options_.size.width, options_.size.height, 3);
    painter_(index_, picture);
    const int64_t start = pts_us(index_), end = pts_us(index_ + 1);
    return make_frame(std::move(picture), index_++, start, end - start);
  }

 private:
  int64_t pts_us(int64_t index) const {
    if (index < static_cast<int64_t>(options_.pts_us.size()))
      return options_.pts_us[static_cast<size_t>(index)];
    const int64_t nominal = 1000000 * options_.frame_rate.denominator;
    if (!options_.pts_us.empty())
      return options_.pts_us.back() + nominal / options_.frame_rate.numerator;
    return (index * nominal + options_.frame_rate.numerator / 2) / options_.frame_rate.numerator;
  }

  SyntheticOptions options_;
  Painter painter_;
  media::VideoInfo info_;
  int64_t index_ = 0;
};

}  // namespace

std::unique_ptr<media::FrameSource> make_synthetic_source(const SyntheticOptions& options,
                                                          Painter painter) {
  return std::make_unique<SyntheticSource>(options, std::move(painter));
}

std::shared_ptr<const media::Frame> make_frame(Image rgb, int64_t index, int64_t pts_us,
                                               int64_t duration_us) {
  auto frame = std::make_shared<PictureFrame>(std::move(rgb));
  frame->index = index;
  frame->pts_us = pts_us;
  frame->duration_us = duration_us;
  return frame;
}

void fill_rectangle(Image& picture, int x0, int y0, int x1, int y1, uint8_t r, uint8_t g,
                    uint8_t b) {
  for (int y = std::max(y0, 0); y < std::min(y1, picture.height()); ++y) {
    for (int x = std::max(x0, 0); x < std::min(x1, picture.width()); ++x) {
      uint8_t* p = picture.row(y) + 3 * x;
      p[0] = r, p[1] = g, p[2] = b;
    }
  }
}

}  // namespace prismvid::tests
