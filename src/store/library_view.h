#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace prismvid::store {

/// The newest document of a video, without its text.
struct LibraryEntry {
  std::string video_id;
  std::string path;
  std::string added_at;
  std::string analysis_id;  // empty: not analysed to the end yet
};

/// What a service asks a library often, on a connection of its own that writes nothing. One object
/// serves one thread at a time.
class LibraryView {
 public:
  virtual ~LibraryView() = default;
  /// Changes with every commit of any other connection or process, and costs microseconds.
  virtual int64_t version() = 0;
  /// Every video, newest first.
  virtual std::vector<LibraryEntry> entries() = 0;
};

}  // namespace prismvid::store
