// What finding, aligning and embedding faces costs, by size of the search. Usage: faces_bench
// PICTURE.jpg [ROUNDS] The picture is put into a 1280x720 frame. CPU time is robust where other
// programs run beside it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/cpu.h"
#include "core/jpeg.h"
#include "vision/faces/dlib_detector.h"
#include "vision/faces/dlib_embedder.h"
#include "vision/faces/face_quality.h"

namespace {

using namespace prismvid;
using namespace prismvid::vision;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// Prints median and least wall time and least CPU time; the first call, which prepares, does not
/// count.
void row(const char* what, int rounds, const std::function<void()>& work) {
  std::vector<double> wall, cpu;
  work();
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_ms();
    work();
    cpu.push_back(cpu_ms() - cpu_start);
    wall.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(wall.begin(), wall.end());
  std::printf("| %-30s | %6.1f | %6.1f | %6.1f |\n", what, wall[wall.size() / 2], wall[0],
              *std::min_element(cpu.begin(), cpu.end()));
}

Image frame_with(const Image& face) {
  Image frame(1280, 720, 3);
  for (int y = 0; y < std::min(720, face.height()); ++y)
    std::memcpy(frame.row(y), face.row(y), static_cast<size_t>(std::min(1280, face.width())) * 3);
  return frame;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: faces_bench PICTURE.jpg [ROUNDS]\n"), 2;
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 30;
  std::ifstream stream(argv[1], std::ios::binary);
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(stream)),
                                   std::istreambuf_iterator<char>());
  const Image frame = frame_with(decode_jpeg(bytes));
  const ModelRegistry models = ModelRegistry::standard();
  const ModelManifest detector_model = models.require("face_detection", "dlib-mmod-face");
  std::printf("| 1280x720, %2d threads           | median | least  | CPU    |\n|---|---|---|---|\n",
              available_threads());
  for (const Precision precision : {Precision::kFast, Precision::kExact})
    for (const int side : {320, 480, 640, 960, 1280}) {
      DlibDetectorOptions options;
      options.longest_side = side;
      options.network.precision = precision;
      DlibFaceDetector detector(detector_model, options);
      size_t found = 0;
      const std::string name =
          "find, " + std::to_string(side) + (precision == Precision::kFast ? ", fast" : ", exact");
      row(name.c_str(), rounds, [&] { found = detector.detect(frame).size(); });
      if (side == 1280 && found == 0) std::printf("no face was found\n");
    }
  DlibDetectorOptions options;
  options.longest_side = 1280;
  const auto faces = DlibFaceDetector(detector_model, options).detect(frame);
  if (faces.empty()) return 1;
  DlibFaceDetector near(detector_model, {});
  row("find near one place, fast", rounds, [&] { near.detect_near(frame, {&faces[0].box, 1}); });
  DlibFaceEmbedder embedder(models.require("face_embedding", "dlib-face-resnet"),
                            models.require("face_landmarks"));
  AlignedFace aligned;
  row("align one face", rounds, [&] { aligned = embedder.align(frame, faces[0]); });
  row("assess one face", rounds, [&] { assess_face(faces[0], aligned); });
  row("embed one face, exact", rounds, [&] { embedder.embed(aligned.chip); });
}
