#include "store/address.h"

#include <cstdlib>

#include "core/sha256.h"
#include "store/postgres_connection.h"

namespace prismvid::store {

namespace fs = std::filesystem;

Address::Address(const std::string& text)
    : text_(text.empty() ? default_file().string() : text),
      postgres_(text_.starts_with("postgres://") || text_.starts_with("postgresql://")) {}

std::string Address::shown() const {
  return postgres_ ? shown_postgres(text_) : text_;
}

fs::path Address::uploads_folder() const {
  if (postgres_) return default_file().parent_path() / "uploads";
  return fs::absolute(file()).string() + ".uploads";
}

fs::path Address::kept_folder() const {
  if (postgres_)
    return default_file().parent_path() / ("kept-" + sha256_hex(shown()).substr(0, 16));
  return fs::absolute(file()).string() + ".kept";
}

fs::path Address::default_file() {
  const char* home = std::getenv("HOME");
  const fs::path base = home && *home ? home : ".";
#ifdef __APPLE__
  return base / "Library/Application Support/PrismVid/prismvid.db";
#else
  const char* data = std::getenv("XDG_DATA_HOME");
  // The specification says to ignore relative paths.
  const bool given = data && *data == '/';
  return (given ? fs::path(data) : base / ".local/share") / "prismvid/prismvid.db";
#endif
}

}  // namespace prismvid::store
