#include "vision/faces/dlib_embedder.h"

#include <dlib/image_processing/shape_predictor.h>
#include <dlib/image_transforms/interpolation.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "vision/faces/dlib_network.h"

namespace prismvid::vision {

/// Part of a picture as one of dlib's images, borrowed.
struct BorrowedRgb {
  ImageView view;
};
long num_rows(const BorrowedRgb& image) { return image.view.height; }
long num_columns(const BorrowedRgb& image) { return image.view.width; }
const void* image_data(const BorrowedRgb& image) { return image.view.data; }
long width_step(const BorrowedRgb& image) { return static_cast<long>(image.view.stride); }

}  // namespace prismvid::vision

template <>
struct dlib::image_traits<prismvid::vision::BorrowedRgb> {
  using pixel_type = dlib::rgb_pixel;
};

namespace prismvid::vision {
namespace {

constexpr int kChipSide = 150;
constexpr double kChipPadding = 0.25;
using Picture = dlib::array2d<dlib::rgb_pixel>;

/// The pixels a face's landmarks and chip can touch: the box with its own size on every side,
/// inside the picture.
dlib::rectangle surroundings(const dlib::rectangle& box, ImageView picture) {
  const long margin =
      std::max<long>(static_cast<long>(box.width()), static_cast<long>(box.height()));
  return dlib::grow_rect(box, margin)
      .intersect(dlib::rectangle(0, 0, picture.width - 1, picture.height - 1));
}

Point place(const dlib::point& point, const dlib::rectangle& area) {
  return {static_cast<float>(point.x() + area.left()), static_cast<float>(point.y() + area.top())};
}

Point middle(Point a, Point b) {
  return {(a.x + b.x) / 2, (a.y + b.y) / 2};
}

/// dlib's parts: the corners of the left eye, of the right eye, and below the nose.
FaceLandmarks landmarks_of(const dlib::full_object_detection& shape, const dlib::rectangle& area) {
  auto part = [&](unsigned long i) { return place(shape.part(i), area); };
  return {
      .right_eye = middle(part(2), part(3)), .left_eye = middle(part(0), part(1)), .nose = part(4)};
}

Image to_image(const Picture& picture) {
  Image result(static_cast<int>(picture.nc()), static_cast<int>(picture.nr()), 3);
  uint8_t* to = result.data();
  for (const dlib::rgb_pixel& pixel : picture) {
    *to++ = pixel.red;
    *to++ = pixel.green;
    *to++ = pixel.blue;
  }
  return result;
}

}  // namespace

struct DlibFaceEmbedder::Predictor {
  dlib::shape_predictor shape;
};

DlibFaceEmbedder::DlibFaceEmbedder(const ModelManifest& resnet, const ModelManifest& landmarks,
                                   int threads)
    : predictor_(std::make_unique<Predictor>()) {
  try {
    dlib::deserialize(landmarks.path().string()) >> predictor_->shape;
  } catch (const std::exception& error) {
    fail(ErrorCode::kModel, "'", landmarks.path().string(),
         "' is not a dlib shape predictor: ", error.what());
  }
  check(predictor_->shape.num_parts() == 5, ErrorCode::kModel, "'", landmarks.path().string(),
        "' predicts ", predictor_->shape.num_parts(), " points, 5 are needed");
  const DlibNetwork network = read_dlib_resnet(resnet.path());
  mean_ = network.mean;
  NetworkOptions options;
  options.precision = Precision::kExact;
  options.threads = threads;
  network_ = compile_dlib_network(network, kChipSide, kChipSide, options);
}

DlibFaceEmbedder::~DlibFaceEmbedder() = default;

AlignedFace DlibFaceEmbedder::align(ImageView picture, const DetectedFace& face) {
  check(picture.channels == 3, ErrorCode::kInvalidArgument, "face alignment needs RGB, got ",
        picture.channels, " channels");
  const dlib::rectangle box(std::lround(face.box.x0), std::lround(face.box.y0),
                            std::lround(face.box.x1) - 1, std::lround(face.box.y1) - 1);
  const dlib::rectangle area = surroundings(box, picture);
  check(!area.is_empty(), ErrorCode::kInvalidArgument, "the face lies outside of its picture");
  const BorrowedRgb part{picture.crop(static_cast<int>(area.left()), static_cast<int>(area.top()),
                                      static_cast<int>(area.width()),
                                      static_cast<int>(area.height()))};
  const auto shape = predictor_->shape(part, dlib::translate_rect(box, -area.tl_corner()));
  Picture chip;
  dlib::extract_image_chip(part, dlib::get_face_chip_details(shape, kChipSide, kChipPadding), chip);
  return {to_image(chip), landmarks_of(shape, area)};
}

std::vector<float> DlibFaceEmbedder::embed(ImageView chip) {
  check(chip.width == kChipSide && chip.height == kChipSide && chip.channels == 3,
        ErrorCode::kInvalidArgument, "dlib's face network takes a chip from align(), got ",
        chip.width, "x", chip.height);
  std::vector<float> input;
  input.reserve(kChipSide * kChipSide * 3);
  for (int y = 0; y < kChipSide; ++y)
    for (int i = 0; i < kChipSide * 3; ++i)
      input.push_back((static_cast<float>(chip.row(y)[i]) - mean_[i % 3]) / 256.0f);
  const TensorView tensor{{1, kChipSide, kChipSide, 3}, input};
  return std::move(network_->run({&tensor, 1}).front().data);
}

float DlibFaceEmbedder::same_person_cosine() const {
  return kSamePersonCosine;
}

}  // namespace prismvid::vision
