#include "vision/faces/dlib_detector.h"

#include <dlib/image_processing/box_overlap_testing.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/faces/dlib_network.h"
#include "vision/models/int8_ranges.h"

namespace prismvid::vision {
namespace {

/// Margin 0 is dlib's border between face and not, 1 the margin it was trained to keep.
float score_of(float margin) {
  return std::clamp(0.5f + 0.5f * margin, 0.0f, 1.0f);
}

// A square around a known face: the face is found from about 0.85 times its size on, and up to 0.4 of
// its size away from where it was.
constexpr int kNearSide = 160;
constexpr float kNearFace = 88;
constexpr size_t kNearLevels = 3;  // of the pyramid: up to about 1.4 times its size

constexpr size_t kAllLevels = std::numeric_limits<size_t>::max();

Image reduced(ImageView picture, Size size) {
  Image result(size.width, size.height, 3);
  const cv::Mat from(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.data),
                     static_cast<size_t>(picture.stride));
  cv::Mat to(size.height, size.width, CV_8UC3, result.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

/// The square around a place that is searched, as a picture of kNearSide pixels.
struct Surroundings {
  Point origin;  // of the cut out picture, in pixels of the whole one
  float scale;   // pixels of the whole picture a pixel of the cut out one
  int x0, y0, x1, y1;  // what lies inside the whole picture

  Surroundings(Size picture, const Box& place) {
    scale = std::max(1.0f, std::max(place.width(), place.height())) / kNearFace;
    const float side = scale * kNearSide;
    origin = {(place.x0 + place.x1 - side) / 2, (place.y0 + place.y1 - side) / 2};
    x0 = std::clamp(static_cast<int>(origin.x), 0, picture.width - 1);
    y0 = std::clamp(static_cast<int>(origin.y), 0, picture.height - 1);
    x1 = std::clamp(static_cast<int>(origin.x + side), x0 + 1, picture.width);
    y1 = std::clamp(static_cast<int>(origin.y + side), y0 + 1, picture.height);
    origin = {static_cast<float>(x0), static_cast<float>(y0)};
  }

  /// What lies outside stays black.
  Image cut_out(ImageView picture) const {
    const auto side = [&](int length) {
      return std::clamp(static_cast<int>(std::lround(static_cast<float>(length) / scale)), 1, kNearSide);
    };
    const Image inside = reduced(picture.crop(x0, y0, x1 - x0, y1 - y0), {side(x1 - x0), side(y1 - y0)});
    if (inside.size() == Size{kNearSide, kNearSide}) return inside;
    Image result(kNearSide, kNearSide, 3);
    for (int y = 0; y < inside.height(); ++y)
      std::copy_n(inside.row(y), inside.stride(), result.row(y));
    return result;
  }
};

DetectedFace face_of(const MmodDetection& detection, Point origin, float scale_x, float scale_y) {
  const auto x = [&](long at) { return origin.x + static_cast<float>(at) * scale_x; };
  const auto y = [&](long at) { return origin.y + static_cast<float>(at) * scale_y; };
  const dlib::rectangle& box = detection.box;
  return {{x(box.left()), y(box.top()), x(box.right() + 1), y(box.bottom() + 1)}, score_of(detection.margin), std::nullopt};
}

/// One face may be near two places.
std::vector<DetectedFace> without_repeats(std::vector<DetectedFace> faces) {
  std::stable_sort(faces.begin(), faces.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<DetectedFace> kept;
  for (const DetectedFace& face : faces)
    if (std::none_of(kept.begin(), kept.end(), [&](const auto& other) { return intersection_over_union(other.box, face.box) > 0.3f; }))
      kept.push_back(face);
  return kept;
}

void check_rgb(ImageView picture) {
  check(picture.channels == 3, ErrorCode::kInvalidArgument, "face detection needs RGB, got ",
        picture.channels, " channels");
}

/// A place of the output in the network's input, as each layer's map_output_to_input of dlib.
int input_place(const std::vector<DlibLayer>& layers, int place) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    if (layer->kind == DlibLayerKind::kConvolution)
      place = static_cast<int>(place * layer->stride - layer->padding + layer->window / 2);
  return place;
}

std::vector<MmodDetection> without_overlaps(std::vector<MmodDetection> found,
                                            const dlib::test_box_overlap& overlap) {
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.margin > b.margin; });
  std::vector<MmodDetection> kept;
  for (const MmodDetection& detection : found)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const auto& other) { return overlap(other.box, detection.box); }))
      kept.push_back(detection);
  return kept;
}

}  // namespace

DlibFaceDetector::DlibFaceDetector(const ModelManifest& model, const DlibDetectorOptions& options)
    : options_(options), model_(read_dlib_detector(model.path())) {
  check(options.longest_side >= 80, ErrorCode::kInvalidArgument,
        "face detection needs a longest side of at least 80 pixels, got ", options.longest_side);
  options_.network.int8_ranges = int8_ranges(model);
  prepare(near_, {kNearSide, kNearSide}, kNearLevels);
}

std::vector<DetectedFace> DlibFaceDetector::detect(ImageView picture) {
  check_rgb(picture);
  const Size size = fit_within(picture.size(), options_.longest_side);
  const auto found =
      size == picture.size() ? detect_at_size(picture) : detect_at_size(reduced(picture, size));
  const float scale_x = static_cast<float>(picture.width) / static_cast<float>(size.width);
  const float scale_y = static_cast<float>(picture.height) / static_cast<float>(size.height);
  std::vector<DetectedFace> faces;
  for (const MmodDetection& detection : found)
    faces.push_back(face_of(detection, {0, 0}, scale_x, scale_y));
  return faces;
}

std::vector<DetectedFace> DlibFaceDetector::detect_near(ImageView picture,
                                                        std::span<const Box> places) {
  check_rgb(picture);
  std::vector<DetectedFace> faces;
  for (const Box& place : places) {
    const Surroundings around(picture.size(), place);
    for (const MmodDetection& detection : run(near_, around.cut_out(picture)))
      faces.push_back(face_of(detection, around.origin, around.scale, around.scale));
  }
  return without_repeats(std::move(faces));
}

std::vector<MmodDetection> DlibFaceDetector::detect_at_size(ImageView picture) {
  prepare(whole_, picture.size(), kAllLevels);
  return run(whole_, picture);
}

std::vector<MmodDetection> DlibFaceDetector::run(Search& search, ImageView picture) const {
  if (!search.network) return {};
  fill_tiles(search.pyramid, picture, model_.network.mean, search.tiles.data());
  const TensorView input{{1, search.pyramid.rows, search.pyramid.columns, 3}, search.tiles};
  return decode(search.pyramid, search.network->run({&input, 1}).front());
}

void DlibFaceDetector::prepare(Search& search, Size size, size_t levels) const {
  if (size == search.size) return;
  search.size = size;
  search.pyramid = TiledPyramid::layout(size, model_.tile_padding, model_.outer_padding).first_levels(levels, model_.outer_padding);
  search.tiles.assign(static_cast<size_t>(search.pyramid.rows) * search.pyramid.columns * 3, 0.0f);
  const bool holds_a_face = std::max(size.width, size.height) >= model_.windows.front().width / 2;
  search.network = holds_a_face ? compile_dlib_network(model_.network, search.pyramid.rows,
                                                       search.pyramid.columns, options_.network)
                                : nullptr;
}

std::vector<MmodDetection> DlibFaceDetector::decode(const TiledPyramid& pyramid,
                                                    const Tensor& scores) const {
  const auto rows = static_cast<int>(scores.shape[2]), columns = static_cast<int>(scores.shape[3]);
  std::vector<MmodDetection> found;
  const float* score = scores.data.data();
  for (const DlibDetectorWindow& window : model_.windows)
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x, ++score) {
        if (*score <= options_.least_margin) continue;
        const dlib::dpoint center(input_place(model_.network.layers, x),
                                  input_place(model_.network.layers, y));
        const auto box = dlib::centered_drect(center, window.width, window.height);
        found.push_back({pyramid.to_picture(box), *score});
      }
  return without_overlaps(std::move(found),
                          dlib::test_box_overlap(model_.nms_iou, model_.nms_covered));
}

}  // namespace prismvid::vision
