// Writes tests/vision/faces/data/dlib_faces.json: what dlib 19.24's own networks answer for a
// picture. Not part of the build (dlib's network types take minutes to compile):
//   g++ -std=c++17 -O2 tools/golden/dlib_faces.cpp -o dlib_faces $(pkg-config --cflags --libs
//   dlib-1)
//   ./dlib_faces MMOD.dat LANDMARKS.dat RESNET.dat PICTURE.ppm >
//   tests/vision/faces/data/dlib_faces.json
// PICTURE.ppm is data/astronaut.jpg decoded by libjpeg-turbo.
#include <dlib/dnn.h>
#include <dlib/image_processing.h>

#include <fstream>
#include <iostream>

// The types of dlib's examples dnn_mmod_face_detection_ex and dnn_face_recognition_ex.
template <long filters, typename Below>
using Shrink5 = dlib::relu<dlib::affine<dlib::con<filters, 5, 5, 2, 2, Below>>>;
template <typename Below>
using Keep5 = dlib::relu<dlib::affine<dlib::con<45, 5, 5, 1, 1, Below>>>;
template <typename Below>
using Stem = Shrink5<32, Shrink5<32, Shrink5<16, Below>>>;
using Detector = dlib::loss_mmod<
    dlib::con<1, 9, 9, 1, 1,
              Keep5<Keep5<Keep5<Stem<dlib::input_rgb_image_pyramid<dlib::pyramid_down<6>>>>>>>>;

template <int filters, int stride, typename Below>
using Block = dlib::affine<
    dlib::con<filters, 3, 3, 1, 1,
              dlib::relu<dlib::affine<dlib::con<filters, 3, 3, stride, stride, Below>>>>>;
template <int filters, typename Below>
using Same = dlib::relu<dlib::add_prev1<Block<filters, 1, dlib::tag1<Below>>>>;
template <int filters, typename Below>
using Down = dlib::relu<dlib::add_prev2<
    dlib::avg_pool<2, 2, 2, 2, dlib::skip1<dlib::tag2<Block<filters, 2, dlib::tag1<Below>>>>>>>;
template <int filters, typename Below>
using Level = Same<filters, Same<filters, Down<filters, Below>>>;
template <typename Below>
using Start = Same<32, Same<32, Same<32, Below>>>;
using Input = dlib::max_pool<
    3, 3, 2, 2,
    dlib::relu<dlib::affine<dlib::con<32, 7, 7, 2, 2, dlib::input_rgb_image_sized<150>>>>>;
using Resnet = dlib::loss_metric<
    dlib::fc_no_bias<128, dlib::avg_pool_everything<Down<
                              256, Level<256, Level<128, Same<64, Level<64, Start<Input>>>>>>>>>;

using Picture = dlib::matrix<dlib::rgb_pixel>;

Picture read_ppm(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  std::string magic;
  long width = 0, height = 0, most = 0;
  stream >> magic >> width >> height >> most;
  stream.get();
  Picture picture(height, width);
  for (long y = 0; y < height; ++y)
    for (long x = 0; x < width; ++x) {
      unsigned char pixel[3];
      stream.read(reinterpret_cast<char*>(pixel), 3);
      picture(y, x) = {pixel[0], pixel[1], pixel[2]};
    }
  if (magic != "P6" || !stream) throw std::runtime_error("not a binary PPM");
  return picture;
}

void print_face(const dlib::mmod_rect& face, const dlib::full_object_detection& shape,
                const dlib::matrix<float, 0, 1>& vector) {
  const dlib::rectangle& box = face.rect;
  std::cout << " {\"box\": [" << box.left() << ", " << box.top() << ", " << box.right() << ", "
            << box.bottom() << "], \"margin\": " << face.detection_confidence
            << ", \"landmarks\": [";
  for (unsigned long i = 0; i < shape.num_parts(); ++i)
    std::cout << (i ? ", " : "") << "[" << shape.part(i).x() << ", " << shape.part(i).y() << "]";
  std::cout << "],\n  \"embedding\": [";
  for (long i = 0; i < vector.size(); ++i) std::cout << (i ? ", " : "") << vector(i);
  std::cout << "]}";
}

int main(int argc, char** argv) {
  if (argc != 5) return std::cerr << "usage: dlib_faces MMOD LANDMARKS RESNET PICTURE.ppm\n", 2;
  Detector detector;
  dlib::shape_predictor predictor;
  Resnet resnet;
  dlib::deserialize(argv[1]) >> detector;
  dlib::deserialize(argv[2]) >> predictor;
  dlib::deserialize(argv[3]) >> resnet;
  const Picture picture = read_ppm(argv[4]);
  std::cout.precision(8);
  std::cout << "[\n";
  bool first = true;
  for (const dlib::mmod_rect& face : detector(picture)) {
    const auto shape = predictor(picture, face.rect);
    Picture chip;
    dlib::extract_image_chip(picture, dlib::get_face_chip_details(shape, 150, 0.25), chip);
    if (!first) std::cout << ",\n";
    first = false;
    print_face(face, shape, resnet(chip));
  }
  std::cout << "\n]\n";
}
