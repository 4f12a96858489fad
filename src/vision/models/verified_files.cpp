#include "vision/models/verified_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "core/sha256.h"
#include "vision/models/manifest_json.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kMemory = ".verified.json";
constexpr size_t kLargestMemory = 1 << 16;

#ifdef __APPLE__
timespec modified(const struct stat& info) {
  return info.st_mtimespec;
}
timespec changed(const struct stat& info) {
  return info.st_ctimespec;
}
#else
timespec modified(const struct stat& info) {
  return info.st_mtim;
}
timespec changed(const struct stat& info) {
  return info.st_ctim;
}
#endif

/// What changes when a file is written, replaced or copied. The change time cannot be set back by a
/// program.
json identity(const fs::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) return nullptr;
  return {info.st_dev,
          info.st_ino,
          info.st_size,
          modified(info).tv_sec,
          modified(info).tv_nsec,
          changed(info).tv_sec,
          changed(info).tv_nsec};
}

json load_memory(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kMemory, error)) return json::object();
  try {
    json memory = parse_untrusted_json(read_small_file(folder / kMemory, kLargestMemory));
    return memory.is_object() ? memory : json::object();
  } catch (const Error&) {
    return json::object();
  }
}

/// Best effort: in a folder that cannot be written the files are simply read again next time.
void store_memory(const fs::path& folder, const json& memory) {
  const fs::path partial = folder / (std::string(kMemory) + "." + std::to_string(getpid()));
  {
    std::ofstream stream(partial, std::ios::binary);
    stream << memory.dump();
    if (!stream.flush()) return;
  }
  std::error_code error;
  fs::rename(partial, folder / kMemory, error);
  if (error) fs::remove(partial, error);
}

std::string hash_or_problem(const fs::path& file, std::string& problem) {
  try {
    return sha256_file(file);
  } catch (const Error& error) {
    problem = error.what();
    return {};
  }
}

}  // namespace

std::string wrong_file(const ModelManifest& manifest, bool remember) {
  json memory = remember ? load_memory(manifest.folder) : json::object();
  bool learnt = false;
  for (size_t i = 0; i < manifest.files.size(); ++i) {
    const ModelFile& file = manifest.files[i];
    const json known = {{"identity", identity(manifest.path(i))}, {"sha256", file.sha256}};
    if (!known["identity"].is_null() && memory.contains(file.name) && memory[file.name] == known)
      continue;
    std::string problem;
    const std::string actual = hash_or_problem(manifest.path(i), problem);
    if (!problem.empty()) return problem;
    if (actual != file.sha256)
      return "file '" + manifest.path(i).string() + "' has sha256 " + actual +
             ", its manifest says " + file.sha256;
    memory[file.name] = known;
    learnt = true;
  }
  if (remember && learnt) store_memory(manifest.folder, memory);
  return {};
}

}  // namespace prismvid::vision
