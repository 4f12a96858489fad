#include "vision/faces/sface_embedder.h"

#include "vision/faces/face_analyzer.h"

#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/models/manifest_fields.h"
#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

constexpr int kSide = 112;
constexpr Point kPlaces[] = {{38.2946f, 51.6963f},
                             {73.5318f, 51.5014f},
                             {56.0252f, 71.7366f},
                             {41.5493f, 92.3655f},
                             {70.7299f, 92.2041f}};

NetworkOptions exact(int threads) {
  NetworkOptions options;
  options.precision = Precision::kExact;
  options.threads = threads;
  return options;
}

Point mean(const Point* points, size_t count) {
  Point sum;
  for (size_t i = 0; i < count; ++i) sum = {sum.x + points[i].x, sum.y + points[i].y};
  return {sum.x / static_cast<float>(count), sum.y / static_cast<float>(count)};
}

/// The turn, scale and shift that bring `from` nearest to `to` by least squares (Umeyama 1991, in
/// the plane).
cv::Mat similarity(const Point* from, const Point* to, size_t count) {
  const Point a = mean(from, count), b = mean(to, count);
  double same = 0, crossed = 0, square = 0;
  for (size_t i = 0; i < count; ++i) {
    const double fx = from[i].x - a.x, fy = from[i].y - a.y, tx = to[i].x - b.x, ty = to[i].y - b.y;
    same += fx * tx + fy * ty;
    crossed += fx * ty - fy * tx;
    square += fx * fx + fy * fy;
  }
  check(square > 0, ErrorCode::kInvalidArgument, "the face's landmarks all lie in one place");
  const double c = same / square, s = crossed / square;
  return (cv::Mat_<double>(2, 3) << c, -s, b.x - c * a.x + s * a.y, s, c, b.y - s * a.x - c * a.y);
}

}  // namespace

// OpenCV calls 0.363 one person for a pair; an archive compares each face with hundreds of people.
SfaceEmbedder::SfaceEmbedder(const ModelManifest& model, int threads)
    : SfaceEmbedder(load_network(model.path(), exact(threads)),
                    prismvid::vision::same_person_cosine(model)) {}

SfaceEmbedder::SfaceEmbedder(std::unique_ptr<Network> network, float same_person_cosine)
    : network_(std::move(network)), same_person_cosine_(same_person_cosine) {}

AlignedFace SfaceEmbedder::align(ImageView picture, const DetectedFace& face) {
  check(face.landmarks && face.landmarks->right_mouth && face.landmarks->left_mouth,
        ErrorCode::kModel, "SFace needs a face detector that gives five landmarks: use YuNet");
  const FaceLandmarks& points = *face.landmarks;
  const Point from[] = {points.right_eye, points.left_eye, points.nose, *points.right_mouth,
                        *points.left_mouth};
  AlignedFace aligned{Image(kSide, kSide, 3), points};
  cv::Mat chip(kSide, kSide, CV_8UC3, aligned.chip.data());
  cv::warpAffine(as_mat(picture), chip, similarity(from, kPlaces, std::size(kPlaces)), chip.size());
  return aligned;
}

std::vector<float> SfaceEmbedder::embed(ImageView chip) {
  check(chip.width == kSide && chip.height == kSide && chip.channels == 3,
        ErrorCode::kInvalidArgument, "SFace takes a chip from align(), got ", chip.width, "x",
        chip.height);
  std::vector<float> planes;
  planes.reserve(kSide * kSide * 3);
  for (int channel = 0; channel < 3; ++channel)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) planes.push_back(chip.row(y)[x * 3 + channel]);
  const TensorView view{{1, 3, kSide, kSide}, planes};
  return std::move(network_->run({&view, 1}).front().data);
}

}  // namespace prismvid::vision
