#include "nn/kernels/number.h"

#include <cstring>

namespace prismvid::nn::kernels {
namespace {

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float from_float16(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

std::uint16_t to_float16(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float size = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (size >= 65520.0f) return sign | 0x7c00;
  if (size < 0x1p-14f) return sign | static_cast<std::uint16_t>(std::nearbyint(size * 0x1p24f));
  int exponent;
  const float fraction = std::frexp(size, &exponent);  // in [0.5, 1)
  // A mantissa that rounds up to 2048 carries into the exponent by itself.
  const int mantissa = static_cast<int>(std::nearbyint(fraction * 2048)) - 1024;
  return static_cast<std::uint16_t>(sign + ((exponent + 14) << 10) + mantissa);
}

template <typename T>
T read(const void* data, std::size_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void write(void* data, std::size_t index, T value) {
  std::memcpy(static_cast<char*>(data) + index * sizeof(T), &value, sizeof(T));
}

}  // namespace

float load_number(const void* data, NumberType type, std::size_t index) {
  switch (type) {
    case NumberType::kFloat32:
      return read<float>(data, index);
    case NumberType::kBfloat16:
      return from_bfloat16(read<std::uint16_t>(data, index));
    case NumberType::kFloat16:
      return from_float16(read<std::uint16_t>(data, index));
  }
  return 0;
}

void store_number(void* data, NumberType type, std::size_t index, float value) {
  switch (type) {
    case NumberType::kFloat32:
      return write(data, index, value);
    case NumberType::kBfloat16:
      return write(data, index, to_bfloat16(value));
    case NumberType::kFloat16:
      return write(data, index, to_float16(value));
  }
}

}  // namespace prismvid::nn::kernels
