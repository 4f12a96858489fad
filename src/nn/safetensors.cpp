#include "nn/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "core/error.h"
#ifdef PRISMVID_CUDA
#include "nn/cuda/device_array.h"
#endif

namespace prismvid::nn {
namespace {

mx::Dtype dtype_of(const std::string& name) {
  static const std::map<std::string, mx::Dtype> known{
      {"F32", mx::float32}, {"F16", mx::float16}, {"BF16", mx::bfloat16}, {"F64", mx::float64},
      {"U8", mx::uint8},    {"I8", mx::int8},     {"U16", mx::uint16},    {"I16", mx::int16},
      {"U32", mx::uint32},  {"I32", mx::int32},   {"U64", mx::uint64},    {"I64", mx::int64},
      {"BOOL", mx::bool_}};
  return known.at(name);
}

}  // namespace

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
  const mx::Dtype dtype = dtype_of(entry.dtype);
  const mx::Shape shape(entry.shape.begin(), entry.shape.end());
  // Never written through: arrays that do not own their buffer are not donated.
  auto* data = const_cast<uint8_t*>(mapping_->bytes().data() + entry.begin);
  // Pages of a tensor that nobody holds any more go back at once: the rest may live for long.
  auto keep_alive = [mapping = mapping_, entry](auto&&) { mapping->drop(entry.begin, entry.end); };

  // MLX's CPU buffers start with their size: a buffer handle 8 bytes ahead of the data reads the
  // mapping in place. Asked of the library rather than assumed, so that another layout or device
  // takes the copying way.
  mx::allocator::Buffer in_place(data - sizeof(size_t));
  const bool aligned = reinterpret_cast<uintptr_t>(data) % mx::size_of(dtype) == 0;
  const bool cpu = mx::default_device() == mx::Device::cpu && !mx::is_available(mx::Device::gpu);
  if (cpu && aligned && entry.end > entry.begin && in_place.raw_ptr() == data)
    return mx::array(mx::allocator::Data(in_place, keep_alive), shape, dtype);
#ifdef PRISMVID_CUDA
  if (mx::default_device() == mx::Device::gpu) return cuda::device_array(data, shape, dtype);
#endif
  return mx::array(static_cast<void*>(data), shape, dtype, keep_alive);
}

}  // namespace prismvid::nn
