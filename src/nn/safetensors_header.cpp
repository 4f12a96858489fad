#include "nn/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/json_depth.h"

namespace prismvid::nn {
namespace {

using nlohmann::json;

constexpr uint64_t kMaximumHeaderBytes = 100'000'000;  // as the reference implementation
constexpr size_t kMaximumDimensions = 8;

// Bytes of one number of a dtype; 0 for an unknown one.
uint64_t bytes_of(const std::string& dtype) {
  static const std::map<std::string, uint64_t> known{
      {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"U8", 1},  {"I8", 1},  {"U16", 2},
      {"I16", 2}, {"U32", 4}, {"I32", 4},  {"U64", 8}, {"I64", 8}, {"BOOL", 1}};
  const auto entry = known.find(dtype);
  return entry == known.end() ? 0 : entry->second;
}

struct HeaderReader {
  const std::string& file;
  uint64_t data_start;
  uint64_t file_bytes;

  template <typename... Parts>
  void require(bool condition, const std::string& tensor, const Parts&... parts) const {
    check(condition, ErrorCode::kModel, file, ": tensor ", tensor, " ", parts...);
  }

  TensorEntry read(const std::string& tensor, const json& node) const {
    TensorEntry entry;
    entry.dtype = node.at("dtype").get<std::string>();
    uint64_t bytes = bytes_of(entry.dtype);
    require(bytes > 0, tensor, "has the unknown dtype ", entry.dtype);
    require(node.at("shape").size() <= kMaximumDimensions, tensor, "has too many dimensions");
    for (const json& node_side : node.at("shape")) {
      require(node_side.is_number_unsigned(), tensor, "has a side that is no natural number");
      const auto side = node_side.get<uint64_t>();
      require(side <= static_cast<uint64_t>(std::numeric_limits<int>::max()), tensor,
              "has a side of ", side);
      require(side == 0 || bytes <= file_bytes / side, tensor, "is larger than its file");
      bytes *= side;
      entry.shape.push_back(static_cast<int>(side));
    }
    const json& offsets = node.at("data_offsets");
    require(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                offsets[1].is_number_unsigned(),
            tensor, "needs two natural numbers as data_offsets");
    const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
    require(begin <= end && end <= file_bytes - data_start, tensor, "lies at ", begin, " to ", end,
            ", outside of its file: the file is truncated or damaged");
    require(end - begin == bytes, tensor, "takes ", end - begin, " bytes, but its shape needs ",
            bytes);
    entry.begin = data_start + begin;
    entry.end = data_start + end;
    return entry;
  }
};

void check_no_overlap(const std::map<std::string, TensorEntry>& tensors, const std::string& file) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, entry] : tensors) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i)
    check(ranges[i].first >= ranges[i - 1].second, ErrorCode::kModel, file,
          ": tensors overlap at byte ", ranges[i].first);
}

}  // namespace

std::map<std::string, TensorEntry> parse_safetensors_header(std::span<const uint8_t> head,
                                                            uint64_t file_bytes,
                                                            const std::string& name) {
  check(head.size() >= 8, ErrorCode::kModel, name, " is too short to be a safetensors file");
  uint64_t length = 0;
  std::memcpy(&length, head.data(), 8);
  check(length <= kMaximumHeaderBytes && length <= head.size() - 8 && length + 8 <= file_bytes,
        ErrorCode::kModel, name, ": a header of ", length,
        " bytes cannot be: the file is truncated or no safetensors file");
  const std::string_view text(reinterpret_cast<const char*>(head.data()) + 8, length);
  check(!nests_deeper_than(text), ErrorCode::kModel, name, ": the header is nested too deeply");
  std::map<std::string, TensorEntry> tensors;
  try {
    const json header = json::parse(text);
    check(header.is_object(), ErrorCode::kModel, name, ": the header is not a JSON object");
    const HeaderReader reader{name, 8 + length, file_bytes};
    for (const auto& [tensor, node] : header.items())
      if (tensor != "__metadata__") tensors.emplace(tensor, reader.read(tensor, node));
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, name, ": the header is damaged: ", e.what());
  }
  check_no_overlap(tensors, name);
  return tensors;
}

}  // namespace prismvid::nn
