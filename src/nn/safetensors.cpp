#include "nn/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/error.h"

namespace prismvid::nn {
namespace {

using nlohmann::json;

constexpr uint64_t kMaximumHeaderBytes = 100'000'000;  // as the reference implementation
constexpr size_t kMaximumDimensions = 8;

std::optional<mx::Dtype> dtype_of(const std::string& name) {
  static const std::map<std::string, mx::Dtype> known{
      {"F32", mx::float32}, {"F16", mx::float16}, {"BF16", mx::bfloat16}, {"F64", mx::float64},
      {"U8", mx::uint8},    {"I8", mx::int8},     {"U16", mx::uint16},    {"I16", mx::int16},
      {"U32", mx::uint32},  {"I32", mx::int32},   {"U64", mx::uint64},    {"I64", mx::int64},
      {"BOOL", mx::bool_}};
  const auto entry = known.find(name);
  return entry == known.end() ? std::nullopt : std::optional(entry->second);
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
    const auto dtype = dtype_of(node.at("dtype").get<std::string>());
    require(dtype.has_value(), tensor, "has the unknown dtype ",
            node.at("dtype").get<std::string>());
    entry.dtype = *dtype;
    uint64_t bytes = mx::size_of(entry.dtype);
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
  const auto* text = reinterpret_cast<const char*>(head.data()) + 8;
  std::map<std::string, TensorEntry> tensors;
  try {
    const json header = json::parse(text, text + length);
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

class SafetensorsFile::Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    check(file >= 0, ErrorCode::kModel, "cannot open ", path.string(), ": ", std::strerror(errno));
    struct stat status {};
    const bool regular =
        ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    bytes_ = regular ? static_cast<size_t>(status.st_size) : 0;
    data_ = regular ? ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    ::close(file);
    check(data_ != MAP_FAILED, ErrorCode::kModel, "cannot map ", path.string(),
          ": it is empty or no regular file");
  }
  ~Mapping() { ::munmap(data_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const uint8_t> bytes() const { return {static_cast<const uint8_t*>(data_), bytes_}; }

  /// Gives whole pages between two bytes back to the system; a later access reads the file again.
  void drop(uint64_t begin, uint64_t end) const {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t first = (begin + page - 1) / page * page, last = end / page * page;
    if (first < last) ::madvise(static_cast<char*>(data_) + first, last - first, MADV_DONTNEED);
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : mapping_(std::make_shared<Mapping>(path)),
      tensors_(parse_safetensors_header(mapping_->bytes(), mapping_->bytes().size(),
                                        path.filename().string())) {}

mx::array SafetensorsFile::array(const std::string& name) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), ErrorCode::kModel, "the checkpoint holds no tensor ", name);
  const TensorEntry& entry = found->second;
  // Never written through: arrays that do not own their buffer are not donated.
  auto* data = const_cast<uint8_t*>(mapping_->bytes().data() + entry.begin);
  // Pages of a tensor that nobody holds any more go back at once: the rest may live for long.
  auto keep_alive = [mapping = mapping_, entry](auto&&) { mapping->drop(entry.begin, entry.end); };

  // MLX's CPU buffers start with their size: a buffer handle 8 bytes ahead of the data reads the
  // mapping in place. Asked of the library rather than assumed, so that another layout or device
  // takes the copying way.
  mx::allocator::Buffer in_place(data - sizeof(size_t));
  const bool aligned = reinterpret_cast<uintptr_t>(data) % mx::size_of(entry.dtype) == 0;
  const bool cpu = mx::default_device() == mx::Device::cpu && !mx::is_available(mx::Device::gpu);
  if (cpu && aligned && entry.end > entry.begin && in_place.raw_ptr() == data)
    return mx::array(mx::allocator::Data(in_place, keep_alive), entry.shape, entry.dtype);
  return mx::array(static_cast<void*>(data), entry.shape, entry.dtype, keep_alive);
}

}  // namespace prismvid::nn
