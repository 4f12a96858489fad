#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>
#include <vector>

// dlib's trained networks as plain layers. Instantiating dlib's own network types takes minutes of
// compile time and evaluates them slowly; their files can be read without either.
namespace prismvid::vision {

enum class DlibLayerKind {
  kConvolution,
  kAffine,
  kRelu,
  kMaxPool,
  kAveragePool,  // window 0: over the whole picture
  kFullyConnected,
  kTag,          // names the current value
  kSkip,         // goes on from the value named `tag`
  kAddPrevious,  // adds the value named `tag`; the smaller one counts as padded with zeros
};

struct DlibLayer {
  DlibLayerKind kind = DlibLayerKind::kRelu;
  int tag = 0;
  int64_t window = 0;  // side of the convolution or pooling window
  int64_t stride = 1;
  int64_t padding = 0;
  std::vector<float> weights =
      {};  // convolution (out, in, window, window); affine (channels); full (in, out)
  std::vector<float> bias = {};  // convolution, affine: (out); else empty
};

/// A network in the order of its evaluation. Input: (value - mean) / 256 of each of R, G, B.
struct DlibNetwork {
  std::vector<DlibLayer> layers;
  std::array<float, 3> mean{};
};

struct DlibDetectorWindow {
  int width = 0;
  int height = 0;
};

/// Max-margin object detector: each output channel scores one window shape at each place of a tiled
/// pyramid.
struct DlibDetectorModel {
  DlibNetwork network;
  std::vector<DlibDetectorWindow> windows;
  int tile_padding = 0;
  int outer_padding = 0;
  double nms_iou = 0;
  double nms_covered = 0;  // share of either box that the other may cover
};

/// Reads `mmod_human_face_detector.dat`; throws Error(kModel) on any other content.
DlibDetectorModel read_dlib_detector(const std::filesystem::path& file);
/// The same from a stream that errors call `name`.
DlibDetectorModel read_dlib_detector(std::istream& stream, const std::string& name);

/// Reads `dlib_face_recognition_resnet_model_v1.dat`; throws Error(kModel) on any other content.
DlibNetwork read_dlib_resnet(const std::filesystem::path& file);
DlibNetwork read_dlib_resnet(std::istream& stream, const std::string& name);

}  // namespace prismvid::vision
