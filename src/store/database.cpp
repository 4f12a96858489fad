#include "store/database.h"

namespace prismvid::store {

int64_t Database::integer(const std::string& sql) {
  const auto cursor = start(sql, {});
  return cursor->step() ? cursor->integer(0) : 0;
}

std::optional<int64_t> Statement::returned() {
  std::optional<int64_t> number;
  // To the end, since only that commits a statement outside a transaction.
  while (step()) number = integer(0);
  return number;
}

std::vector<uint8_t> Statement::bytes(int column) const {
  const auto bytes = cursor_->bytes(column);
  return {bytes.begin(), bytes.end()};
}

Transaction::Transaction(Database& database, TransactionKind kind) : database_(database) {
  database_.begin(kind);
}

Transaction::Transaction(Database& database, Lock lock)
    : Transaction(database, TransactionKind::kWrite) {
  database_.lock(lock);
}

Transaction::~Transaction() {
  if (open_) database_.rollback();
}

void Transaction::commit() {
  database_.commit();
  open_ = false;
}

}  // namespace prismvid::store
