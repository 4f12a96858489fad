#include "store/library_view.h"
#include "store/sqlite_database.h"

namespace prismvid::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

class SqliteLibraryView final : public LibraryView {
 public:
  explicit SqliteLibraryView(const std::filesystem::path& file) : database_(file, kBusyTimeoutMs) {
    database_.execute("PRAGMA query_only = ON");
  }

  int64_t version() override { return database_.integer("PRAGMA data_version"); }

  std::vector<LibraryEntry> entries() override {
    std::vector<LibraryEntry> all;
    // SQLite gives the other columns of the row that max() chose.
    Statement rows(database_,
                   "SELECT v.id, v.path, v.added_at, coalesce(d.analysis_id, '') FROM videos v "
                   "LEFT JOIN (SELECT video_id, analysis_id, max(sequence) FROM documents "
                   "GROUP BY video_id) d ON d.video_id = v.id ORDER BY v.rowid DESC");
    while (rows.step()) all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3)});
    return all;
  }

 private:
  Database database_;
};

}  // namespace

std::unique_ptr<LibraryView> open_sqlite_library_view(const std::filesystem::path& file) {
  return std::make_unique<SqliteLibraryView>(file);
}

}  // namespace prismvid::store
