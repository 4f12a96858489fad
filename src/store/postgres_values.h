#pragma once

#include <libpq-fe.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"

namespace prismvid::store {

/// Parameters in PostgreSQL's binary form, with their types. The values must outlive it.
class PostgresValues {
 public:
  explicit PostgresValues(std::span<const Value> values);
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  void add(Oid type, const char* bytes, size_t size);

  std::vector<std::string> numbers_;
  std::vector<Oid> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
};

/// Numbers of a result in binary form. Throw Error(kInternal) for a type that no statement gives.
int64_t to_integer(Oid type, std::string_view raw);
double to_real(Oid type, std::string_view raw);

}  // namespace prismvid::store
