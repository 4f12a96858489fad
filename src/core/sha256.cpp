#include "core/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.h"

namespace prismvid {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const uint8_t> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) { EVP_DigestUpdate(state_->context, text.data(), text.size()); }

std::string Sha256::hex() {
  uint8_t digest[32];
  EVP_DigestFinal_ex(state_->context, digest, nullptr);
  return hex_digits(digest);
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

std::string hex_digits(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_file(const std::filesystem::path& path, std::stop_token stop) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  check(file != nullptr, errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnreadable, "cannot open '",
        path.string(), "': ", std::strerror(errno));
  Sha256 hash;
  std::vector<uint8_t> block(1 << 20);
  while (true) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "stopped while reading '", path.string(), "'");
    const size_t count = std::fread(block.data(), 1, block.size(), file.get());
    hash.update(std::span(block.data(), count));
    if (count < block.size()) break;
  }
  check(!std::ferror(file.get()), ErrorCode::kUnreadable, "cannot read '", path.string(), "': ", std::strerror(errno));
  return hash.hex();
}

}  // namespace prismvid
