#pragma once

#include <cstddef>

namespace prismvid::server {

/// A file of src/web/static as the build embeds it.
struct EmbeddedFile {
  const char* path;  // "/index.html"
  const unsigned char* bytes;
  size_t count;
};

/// Ends with a null path.
extern const EmbeddedFile kEmbeddedPage[];

}  // namespace prismvid::server
