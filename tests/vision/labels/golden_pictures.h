#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "core/image.h"

namespace prismvid::vision {

/// A binary PPM of the test data.
inline Image read_ppm(const std::string& name) {
  std::ifstream file(std::string(TEST_DATA) + "/" + name, std::ios::binary);
  std::string magic;
  int width = 0, height = 0, most = 0;
  file >> magic >> width >> height >> most;
  file.get();
  if (magic != "P6" || most != 255) throw std::runtime_error("no test picture " + name);
  Image image(width, height, 3);
  file.read(reinterpret_cast<char*>(image.data()), image.stride() * height);
  return image;
}

/// What the reference makes of each picture (tools/make_label_goldens.py).
inline nlohmann::json goldens() {
  return nlohmann::json::parse(std::ifstream(std::string(TEST_DATA) + "/goldens.json"));
}

}  // namespace prismvid::vision
