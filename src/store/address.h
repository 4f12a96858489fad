#pragma once

#include <filesystem>
#include <string>

namespace prismvid::store {

/// Where a library is: a file of SQLite, or a PostgreSQL database as
/// postgres://user@host:port/name.
class Address {
 public:
  Address() : Address(default_file()) {}
  /// A URL of PostgreSQL, or else a file; "" is the user's own file.
  Address(const std::string& text);
  Address(const char* text) : Address(std::string(text)) {}
  Address(const std::filesystem::path& file) : Address(file.string()) {}

  bool is_postgres() const { return postgres_; }
  const std::string& text() const { return text_; }
  std::filesystem::path file() const { return text_; }
  /// For messages: without a password.
  std::string shown() const;
  /// Where uploads and fetched files go if nobody says otherwise: beside the file, or in the user's
  /// data folder.
  std::filesystem::path uploads_folder() const;
  /// Where this machine keeps what can be made again: beside the file, or in the user's data folder
  /// under a name of this library's own.
  std::filesystem::path kept_folder() const;

  /// $XDG_DATA_HOME/prismvid/prismvid.db (default ~/.local/share); on macOS ~/Library/Application
  /// Support/PrismVid.
  static std::filesystem::path default_file();

 private:
  std::string text_;
  bool postgres_ = false;
};

}  // namespace prismvid::store
