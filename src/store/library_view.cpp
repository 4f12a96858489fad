#include "store/library_view.h"

#include "store/sql_store.h"

namespace prismvid::store {
namespace {

class SqlLibraryView final : public LibraryView {
 public:
  explicit SqlLibraryView(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  int64_t version() override { return database_->version(Topic::kLibrary); }

  std::vector<LibraryEntry> entries() override {
    std::vector<LibraryEntry> all;
    Statement rows(*database_,
                   "SELECT v.id, v.path, v.added_at, coalesce(d.analysis_id, '') FROM videos v "
                   "LEFT JOIN documents d ON d.sequence = (SELECT max(sequence) FROM documents "
                   "WHERE video_id = v.id) ORDER BY v.rowid DESC");
    while (rows.step()) all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3)});
    return all;
  }

 private:
  std::unique_ptr<Database> database_;
};

}  // namespace

std::unique_ptr<LibraryView> make_library_view(std::unique_ptr<Database> database) {
  return std::make_unique<SqlLibraryView>(std::move(database));
}

}  // namespace prismvid::store
