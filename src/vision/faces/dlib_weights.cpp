#include "vision/faces/dlib_weights.h"

#include <dlib/serialize.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <type_traits>

#include "core/error.h"

// The format is that of dlib 19.24's dnn/core.h, dnn/layers.h, dnn/input.h and dnn/loss.h: a
// network is nested, so all headers come first, from the output down to the input, then the layers'
// contents from the input up. Files do not name tags and skips, so the expected structure is given
// here.
namespace prismvid::vision {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");
constexpr int64_t kMostValues = 1 << 26;
constexpr size_t kValuesAtOnce = 1 << 20;
constexpr unsigned long kLongestText = 1 << 10;
constexpr unsigned long kLargestWindow = 1 << 16;

using Kind = DlibLayerKind;
using Layers = std::vector<DlibLayer>;

class Reader {
 public:
  Reader(std::istream& stream, std::string name) : name_(std::move(name)), stream_(stream) {
    check(stream_.good(), ErrorCode::kModel, "model file '", name_, "' cannot be read");
  }

  template <typename T>
  T get() {
    if constexpr (std::is_same_v<T, std::string>) {
      return text();
    } else {
      T value{};
      try {
        dlib::deserialize(value, stream_);
      } catch (const std::exception& error) {
        fail(ErrorCode::kModel, "'", name_, "' is damaged: ", error.what());
      }
      return value;
    }
  }

  /// A version that must be one of those this reader knows.
  template <typename T>
  T version(std::initializer_list<T> known) {
    const T found = get<T>();
    check(std::find(known.begin(), known.end(), found) != known.end(), ErrorCode::kModel, "'",
          name_, "' is not the dlib network that its manifest says: unexpected part '", found, "'");
    return found;
  }

  std::vector<float> tensor() {
    version({2});
    int64_t count = 1;
    for (int i = 0; i < 4; ++i) {
      const auto side = get<long long>();
      require(side >= 0 && side <= kMostValues && count * side <= kMostValues,
              "a tensor too large");
      count *= side;
    }
    std::vector<float> values;
    while (static_cast<int64_t>(values.size()) < count) append(values, count);
    return values;
  }

  void skip_alias() {
    version({1});
    for (int i = 0; i < 4; ++i) get<long long>();
  }

  void require(bool condition, const char* what) {
    check(condition, ErrorCode::kModel, "'", name_,
          "' is not the dlib network that its manifest says: it has ", what);
  }

 private:
  /// dlib's own reader would reserve whatever length the file declares.
  std::string text() {
    const auto length = get<unsigned long>();
    require(length <= kLongestText, "a text too long");
    std::string value(length, '\0');
    stream_.read(value.data(), static_cast<std::streamsize>(length));
    require(stream_.good(), "a text cut short");
    return value;
  }

  /// Memory grows with what the file holds, not with what it declares.
  void append(std::vector<float>& values, int64_t count) {
    const size_t done = values.size();
    values.resize(std::min(done + kValuesAtOnce, static_cast<size_t>(count)));
    stream_.read(reinterpret_cast<char*>(values.data() + done),
                 static_cast<std::streamsize>((values.size() - done) * sizeof(float)));
    require(stream_.good(), "a tensor cut short");
  }

  std::string name_;
  std::istream& stream_;
};

Kind kind_of(const std::string& version, Reader& reader) {
  static const std::pair<const char*, Kind> kinds[] = {
      {"con_", Kind::kConvolution},   {"affine_", Kind::kAffine},
      {"bn_con", Kind::kAffine},      {"relu_", Kind::kRelu},
      {"max_pool_", Kind::kMaxPool},  {"avg_pool_", Kind::kAveragePool},
      {"fc_", Kind::kFullyConnected}, {"add_prev_", Kind::kAddPrevious}};
  for (const auto& [prefix, kind] : kinds)
    if (version.starts_with(prefix)) return kind;
  reader.require(false, "a layer of unknown kind");
  return Kind::kRelu;
}

void read_square(Reader& reader, DlibLayer& layer) {
  layer.window = reader.get<long>();
  reader.require(reader.get<long>() == layer.window, "a window that is not square");
  layer.stride = reader.get<int>();
  reader.require(reader.get<int>() == layer.stride, "unequal strides");
  layer.padding = reader.get<int>();
  reader.require(reader.get<int>() == layer.padding, "unequal paddings");
}

void skip_learning_rates(Reader& reader) {
  for (int i = 0; i < 4; ++i) reader.get<double>();
}

/// Moves the last `count` of the weights to the bias.
void split_bias(DlibLayer& layer, size_t count, Reader& reader) {
  reader.require(layer.weights.size() > count, "a layer without weights");
  layer.bias.assign(layer.weights.end() - static_cast<std::ptrdiff_t>(count), layer.weights.end());
  layer.weights.resize(layer.weights.size() - count);
}

void read_convolution(Reader& reader, DlibLayer& layer) {
  layer.weights = reader.tensor();
  const auto filters = reader.get<long>();
  reader.require(filters > 0, "a convolution without filters");
  read_square(reader, layer);
  reader.skip_alias();
  reader.skip_alias();
  skip_learning_rates(reader);
  split_bias(layer, static_cast<size_t>(filters), reader);
}

void read_affine(Reader& reader, DlibLayer& layer) {
  layer.weights = reader.tensor();
  reader.skip_alias();
  reader.skip_alias();
  reader.get<int>();  // mode
  split_bias(layer, layer.weights.size() / 2, reader);
}

/// The file keeps the normalisation of training, which is affine once its statistics are fixed.
void read_batch_normalisation(Reader& reader, DlibLayer& layer) {
  layer.weights = reader.tensor();
  for (int i = 0; i < 2; ++i) reader.skip_alias();
  for (int i = 0; i < 2; ++i) reader.tensor();  // statistics of the last batch
  const std::vector<float> means = reader.tensor();
  const std::vector<float> variances = reader.tensor();
  for (int i = 0; i < 2; ++i) reader.get<unsigned long>();  // updates, averaging window
  skip_learning_rates(reader);
  const auto epsilon = reader.get<double>();
  split_bias(layer, layer.weights.size() / 2, reader);
  reader.require(means.size() == layer.bias.size() && variances.size() == layer.bias.size(),
                 "statistics for another number of channels");
  for (size_t i = 0; i < means.size(); ++i) {
    layer.weights[i] = static_cast<float>(layer.weights[i] / std::sqrt(variances[i] + epsilon));
    layer.bias[i] -= layer.weights[i] * means[i];
  }
}

void read_full(Reader& reader, DlibLayer& layer) {
  reader.get<unsigned long>();  // outputs
  reader.get<unsigned long>();  // inputs
  layer.weights = reader.tensor();
  reader.skip_alias();
  reader.skip_alias();
  reader.require(reader.get<int>() == 1, "a full layer with bias");
  skip_learning_rates(reader);
}

void read_details(Reader& reader, DlibLayer& layer) {
  const auto version = reader.version<std::string>(
      {"con_4", "affine_", "bn_con2", "relu_", "max_pool_2", "avg_pool_2", "fc_2", "add_prev_"});
  reader.require(kind_of(version, reader) == layer.kind, "its layers in another order");
  switch (layer.kind) {
    case Kind::kConvolution:
      return read_convolution(reader, layer);
    case Kind::kAffine:
      return version == "affine_" ? read_affine(reader, layer)
                                  : read_batch_normalisation(reader, layer);
    case Kind::kFullyConnected:
      return read_full(reader, layer);
    case Kind::kMaxPool:
    case Kind::kAveragePool:
      return read_square(reader, layer);
    default:
      return;
  }
}

/// What training left behind each layer.
void skip_state(Reader& reader, bool bottom, int version) {
  for (int i = 0; i < 3; ++i) reader.get<bool>();
  for (int i = 0; i < 2; ++i) reader.tensor();  // gradient, cached output
  if (bottom || version == 2) reader.tensor();  // gradient of the input or of the parameters
  if (bottom && version == 3) reader.get<unsigned int>();
}

/// `read_input` reads the input layer, which lies between the headers and the first layer's
/// content.
template <typename ReadInput>
void read_layers(Reader& reader, Layers& layers, const ReadInput& read_input) {
  std::vector<int> versions(layers.size());
  for (size_t i = layers.size(); i-- > 0;) {
    const bool named = layers[i].kind == Kind::kTag || layers[i].kind == Kind::kSkip;
    versions[i] = named    ? reader.version({1})
                  : i == 0 ? reader.version({2, 3})
                           : reader.version({1, 2});
  }
  read_input();
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].kind == Kind::kTag || layers[i].kind == Kind::kSkip) continue;
    read_details(reader, layers[i]);
    skip_state(reader, i == 0, versions[i]);
  }
}

void append_convolution(Layers& layers) {
  layers.push_back({.kind = Kind::kConvolution});
  layers.push_back({.kind = Kind::kAffine});
}

void append_residual(Layers& layers, bool down) {
  layers.push_back({.kind = Kind::kTag, .tag = 1});
  append_convolution(layers);
  layers.push_back({.kind = Kind::kRelu});
  append_convolution(layers);
  if (down) {
    layers.push_back({.kind = Kind::kTag, .tag = 2});
    layers.push_back({.kind = Kind::kSkip, .tag = 1});
    layers.push_back({.kind = Kind::kAveragePool});
  }
  layers.push_back({.kind = Kind::kAddPrevious, .tag = down ? 2 : 1});
  layers.push_back({.kind = Kind::kRelu});
}

Layers detector_layers() {
  Layers layers;
  for (int i = 0; i < 6; ++i) {
    append_convolution(layers);
    layers.push_back({.kind = Kind::kRelu});
  }
  layers.push_back({.kind = Kind::kConvolution});
  return layers;
}

/// ResNet-29 of dlib's example dnn_face_recognition_ex.
Layers resnet_layers() {
  Layers layers;
  append_convolution(layers);
  layers.push_back({.kind = Kind::kRelu});
  layers.push_back({.kind = Kind::kMaxPool});
  for (const char down : std::string("...D...D..D..D")) append_residual(layers, down == 'D');
  layers.push_back({.kind = Kind::kAveragePool});
  layers.push_back({.kind = Kind::kFullyConnected});
  return layers;
}

void read_mean(Reader& reader, std::array<float, 3>& mean) {
  for (float& value : mean) value = reader.get<float>();
}

/// mmod_options; the losses and the training overlap do not matter for detection.
void read_options(Reader& reader, DlibDetectorModel& model) {
  reader.version<std::string>({"loss_mmod_"});
  const int version = reader.version({1, 2, 3, 4});
  const auto count = version == 1 ? 1 : reader.get<unsigned long>();
  reader.require(count > 0 && count < 100, "an odd number of detector windows");
  for (unsigned long i = 0; i < count; ++i) {
    const int window_version = version == 1 ? 1 : reader.version({1, 2});
    const auto width = reader.get<unsigned long>();
    const auto height = reader.get<unsigned long>();
    reader.require(width - 1 < kLargestWindow && height - 1 < kLargestWindow,
                   "a detector window of an odd size");
    model.windows.push_back({static_cast<int>(width), static_cast<int>(height)});
    if (window_version == 2) reader.get<std::string>();
  }
  for (int i = 0; i < 3; ++i) reader.get<double>();
  model.nms_iou = reader.get<double>();
  model.nms_covered = reader.get<double>();
  for (int i = 0; i < 2; ++i) reader.get<double>();
  if (version >= 3) reader.get<uint8_t>();
  if (version >= 4) {
    reader.require(!reader.get<bool>(), "bounding box regression");
    reader.get<double>();
  }
}

}  // namespace

DlibDetectorModel read_dlib_detector(std::istream& stream, const std::string& name) {
  Reader reader(stream, name);
  DlibDetectorModel model;
  reader.version({1});
  read_options(reader, model);
  model.network.layers = detector_layers();
  read_layers(reader, model.network.layers, [&] {
    const auto version =
        reader.version<std::string>({"input_rgb_image_pyramid", "input_rgb_image_pyramid2"});
    read_mean(reader, model.network.mean);
    const bool stored = version.ends_with('2');
    model.tile_padding = stored ? static_cast<int>(reader.get<unsigned long>()) : 10;
    model.outer_padding = stored ? static_cast<int>(reader.get<unsigned long>()) : 11;
  });
  return model;
}

DlibDetectorModel read_dlib_detector(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return read_dlib_detector(stream, file.string());
}

DlibNetwork read_dlib_resnet(std::istream& stream, const std::string& name) {
  Reader reader(stream, name);
  DlibNetwork network{.layers = resnet_layers()};
  reader.version({1});
  if (reader.version<std::string>({"loss_metric_", "loss_metric_2"}).ends_with('2'))
    for (int i = 0; i < 2; ++i) reader.get<float>();  // training margin and distance
  read_layers(reader, network.layers, [&] {
    reader.version<std::string>({"input_rgb_image_sized"});
    read_mean(reader, network.mean);
    for (int i = 0; i < 2; ++i) reader.require(reader.get<size_t>() == 150, "another input size");
  });
  return network;
}

DlibNetwork read_dlib_resnet(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return read_dlib_resnet(stream, file.string());
}

}  // namespace prismvid::vision
