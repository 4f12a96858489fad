#include "clip_expectations.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

#include "core/error.h"
#include "media/ffmpeg.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {

int64_t ProbedFrames::pts_us(size_t i) const {
  const AVRational base{static_cast<int>(time_base.numerator),
                        static_cast<int>(time_base.denominator)};
  return av_rescale_q(timestamps[i] - timestamps[0], base, {1, 1000000});
}

ProbedFrames probe_frames(const std::filesystem::path& clip) {
  const std::string probe = "ffprobe -v error -select_streams v:0 -of csv=p=0 -show_entries ";
  ProbedFrames result;
  char slash = 0;
  std::istringstream base(tests::run_command(probe + "stream=time_base '" + clip.string() + "'"));
  base >> result.time_base.numerator >> slash >> result.time_base.denominator;
  std::istringstream lines(
      tests::run_command(probe + "frame=best_effort_timestamp '" + clip.string() + "'"));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) result.timestamps.push_back(std::strtoll(line.c_str(), nullptr, 10));
  return result;
}

std::vector<std::shared_ptr<const Frame>> read_all(FrameSource& source) {
  std::vector<std::shared_ptr<const Frame>> frames;
  while (auto frame = source.next()) frames.push_back(std::move(frame));
  return frames;
}

Image ffmpeg_picture(const std::filesystem::path& clip, int64_t index, Size size, int channels) {
  const std::string select = "select=eq(n\\," + std::to_string(index) + ")";
  const std::string scale = ",scale=" + std::to_string(size.width) + ":" +
                            std::to_string(size.height) + (channels == 3 ? "" : ":out_range=full") +
                            ":flags=area+accurate_rnd+full_chroma_int+full_chroma_inp";
  const std::string bytes =
      tests::run_command("ffmpeg -v error -nostdin -i '" + clip.string() + "' -map 0:v:0 -vf '" +
                         select + scale + "' -frames:v 1 -vsync passthrough -f rawvideo -pix_fmt " +
                         (channels == 3 ? "rgb24" : "gray") + " -");
  Image image(size.width, size.height, channels);
  const auto expected = static_cast<size_t>(image.stride()) * static_cast<size_t>(size.height);
  check(bytes.size() == expected, ErrorCode::kInternal, "ffmpeg wrote ", bytes.size(),
        " bytes, not ", expected);
  std::memcpy(image.data(), bytes.data(), expected);
  return image;
}

double mean_difference(const Image& a, const Image& b) {
  check(a.size() == b.size() && a.channels() == b.channels(), ErrorCode::kInvalidArgument,
        "pictures of two sizes");
  double sum = 0;
  const auto count = a.stride() * a.height();
  for (std::ptrdiff_t i = 0; i < count; ++i) sum += std::abs(a.data()[i] - b.data()[i]);
  return sum / static_cast<double>(count);
}

}  // namespace prismvid::media
