#include "cli/hub_listing.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_depth.h"
#include "core/sha256.h"

namespace prismvid::cli {
namespace {

namespace fs = std::filesystem;

bool is_hash(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

HubFile read_file(const nlohmann::json& entry) {
  HubFile file;
  file.name = entry.at("rfilename").get<std::string>();
  file.bytes = entry.at("size").get<int64_t>();
  file.large = entry.contains("lfs") && entry["lfs"].is_object();
  file.blob = file.large ? entry["lfs"].at("sha256").get<std::string>()
                         : entry.at("blobId").get<std::string>();
  check(is_inside(file.name) && is_hash(file.blob, file.large ? 64 : 40) && file.bytes >= 0,
        ErrorCode::kModel, "the hub announces a file ", file.name.string(), " that cannot be");
  return file;
}

// SHA-1 of "blob LENGTH\0" and the bytes: what `git hash-object` says.
std::string git_hash(const fs::path& path) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  check(context && EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) == 1, ErrorCode::kInternal,
        "OpenSSL has no SHA-1");
  const std::string head = "blob " + std::to_string(fs::file_size(path)) + '\0';
  EVP_DigestUpdate(context.get(), head.data(), head.size());
  std::ifstream in(path, std::ios::binary);
  std::vector<char> buffer(1 << 16);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0)
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(in.gcount()));
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  return hex_digits({digest.data(), length});
}

}  // namespace

bool is_inside(const fs::path& path) {
  return !path.empty() && path.is_relative() && path.has_filename() &&
         std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

HubListing parse_hub_listing(const std::string& text) {
  try {
    check(!nests_deeper_than(text), ErrorCode::kModel, "the hub's answer is nested too deeply");
    const auto answer = nlohmann::json::parse(text);
    HubListing listing{answer.at("sha").get<std::string>(), {}};
    check(is_hash(listing.commit, 40), ErrorCode::kModel, "the hub announces no commit");
    for (const auto& entry : answer.at("siblings")) listing.files.push_back(read_file(entry));
    return listing;
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kModel, "the hub's answer is not understood: ", e.what());
  }
}

bool is_sound(const HubFile& file, const fs::path& path, const std::stop_token& stop) {
  std::error_code error;
  if (static_cast<int64_t>(fs::file_size(path, error)) != file.bytes || error) return false;
  return (file.large ? sha256_file(path, stop) : git_hash(path)) == file.blob;
}

}  // namespace prismvid::cli
