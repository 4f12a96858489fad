#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace prismvid {

/// Incremental SHA-256 (FIPS 180-4), by OpenSSL.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const uint8_t> bytes);
  void update(std::string_view text);
  /// 64 lower-case hexadecimal digits. Call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view text);

/// Two lower-case digits a byte.
std::string hex_digits(std::span<const uint8_t> bytes);

/// Hash of a whole file; throws Error(kNotFound or kUnreadable), Error(kCancelled) when stopped.
std::string sha256_file(const std::filesystem::path& path, std::stop_token stop = {});

}  // namespace prismvid
