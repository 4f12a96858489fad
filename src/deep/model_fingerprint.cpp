#include "deep/model_fingerprint.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "core/sha256.h"

namespace prismvid::deep {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSmall = 32 << 20;  // bytes that are read wholly
constexpr uint64_t kSample = 64 << 10;
constexpr uint64_t kSamples = 64;

bool is_of_checkpoint(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".json" || ending == ".safetensors" || ending == ".txt" || ending == ".jinja";
}

void add_stretch(std::ifstream& in, uint64_t start, uint64_t size, Sha256& hash) {
  std::vector<char> bytes(size);
  in.seekg(static_cast<std::streamoff>(start));
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  hash.update(std::string_view(bytes.data(), static_cast<size_t>(in.gcount())));
}

void add_file(const fs::path& file, Sha256& hash) {
  const uint64_t size = fs::file_size(file);
  hash.update(file.filename().string() + ":" + std::to_string(size) + "\n");
  std::ifstream in(file, std::ios::binary);
  if (size <= kSmall) return add_stretch(in, 0, size, hash);
  for (uint64_t i = 0; i < kSamples; ++i)
    add_stretch(in, (size - kSample) / (kSamples - 1) * i, kSample, hash);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && is_of_checkpoint(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string model_fingerprint(const fs::path& folder) {
  Sha256 hash;
  for (const fs::path& file : files_of(folder)) add_file(file, hash);
  return hash.hex();
}

std::string model_stamp(const fs::path& folder) {
  std::string stamp;
  for (const fs::path& file : files_of(folder))
    stamp += file.string() + ":" + std::to_string(fs::file_size(file)) + ":" +
             std::to_string(fs::last_write_time(file).time_since_epoch().count()) + "\n";
  return stamp;
}

}  // namespace prismvid::deep
