#include "store/postgres_values.h"

#include <bit>

#include "core/error.h"

namespace prismvid::store {

namespace {

// pg_type.dat of PostgreSQL: they never change.
constexpr Oid kUnknown = 0, kBool = 16, kBytea = 17, kInt8 = 20, kInt4 = 23, kText = 25,
              kFloat4 = 700, kFloat8 = 701;

std::string big_endian(uint64_t number) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
  return bytes;
}

uint64_t from_big_endian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

}  // namespace

PostgresValues::PostgresValues(std::span<const Value> values) {
  numbers_.reserve(values.size());  // so that their bytes stay where they are
  for (const Value& value : values) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      const std::string& bytes = numbers_.emplace_back(big_endian(static_cast<uint64_t>(*integer)));
      add(kInt8, bytes.data(), bytes.size());
    } else if (const auto* real = std::get_if<double>(&value)) {
      const std::string& bytes = numbers_.emplace_back(big_endian(std::bit_cast<uint64_t>(*real)));
      add(kFloat8, bytes.data(), bytes.size());
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      add(kText, text->empty() ? "" : text->data(), text->size());
    } else if (const auto* bytes = std::get_if<std::span<const uint8_t>>(&value)) {
      add(kBytea, bytes->empty() ? "" : reinterpret_cast<const char*>(bytes->data()),
          bytes->size());
    } else {
      add(kUnknown, nullptr, 0);
    }
  }
}

void PostgresValues::add(Oid type, const char* bytes, size_t size) {
  check(size < 1'000'000'000, ErrorCode::kStore, "a value of ", size,
        " bytes is more than PostgreSQL keeps in one row");
  constexpr int kBinary = 1;
  types_.push_back(type);
  values_.push_back(bytes);
  lengths_.push_back(static_cast<int>(size));
  formats_.push_back(kBinary);
}

int64_t to_integer(Oid type, std::string_view raw) {
  const uint64_t number = from_big_endian(raw);
  if (type == kInt8) return static_cast<int64_t>(number);
  if (type == kInt4) return static_cast<int32_t>(number);
  if (type == kBool) return number != 0;
  fail(ErrorCode::kInternal, "a statement gives type ", type, " where a whole number is read");
}

double to_real(Oid type, std::string_view raw) {
  if (type == kFloat8) return std::bit_cast<double>(from_big_endian(raw));
  if (type == kFloat4) return std::bit_cast<float>(static_cast<uint32_t>(from_big_endian(raw)));
  return static_cast<double>(to_integer(type, raw));
}

}  // namespace prismvid::store
