#pragma once

#include <memory>

#include "vision/faces/dlib_weights.h"
#include "vision/faces/face.h"
#include "vision/faces/tiled_pyramid.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

struct DlibDetectorOptions {
  /// Pictures are reduced to this before the search. Faces below about 80 pixels at that size are
  /// not found: cost and reach grow with its square and itself.
  int longest_side = 640;
  /// Least margin of a detection; dlib's own default is 0.
  float least_margin = 0;
  NetworkOptions network;
};

/// A face as dlib's loss_mmod gives it: pixels of the analysed picture, margin above 0 for a likely
/// face.
struct MmodDetection {
  dlib::rectangle box;
  float margin = 0;
};

/// dlib's max-margin CNN face detector (King, arXiv 1502.00046): same weights, pyramid and
/// suppression.
class DlibFaceDetector : public FaceDetector {
 public:
  explicit DlibFaceDetector(const ModelManifest& model, const DlibDetectorOptions& options = {});

  std::vector<DetectedFace> detect(ImageView picture) override;
  /// Searches a square around each place, scaled so that its face is a little above the least size.
  std::vector<DetectedFace> detect_near(ImageView picture, std::span<const Box> places) override;

  /// The search at the picture's own size, equal to dlib's result for `net(picture, least_margin)`.
  std::vector<MmodDetection> detect_at_size(ImageView picture);

 private:
  /// A search of pictures of one size.
  struct Search {
    Size size;
    TiledPyramid pyramid;
    std::vector<float> tiles;
    std::unique_ptr<Network> network;  // none where the size is too small for a face
  };
  void prepare(Search& search, Size size, size_t levels) const;
  std::vector<MmodDetection> run(Search& search, ImageView picture) const;
  std::vector<MmodDetection> decode(const TiledPyramid& pyramid, const Tensor& scores) const;

  DlibDetectorOptions options_;
  DlibDetectorModel model_;
  Search whole_;
  Search near_;
};

}  // namespace prismvid::vision
