#include "vision/objects/assignment.h"

#include <limits>

#include "core/error.h"

namespace prismvid::vision {
namespace {

/// Square problem: an own dummy for each row and column at half the limit, so that any pair dearer
/// than it loses.
struct PaddedCosts {
  std::span<const float> costs;
  int rows;
  int columns;
  float limit;

  int size() const { return rows + columns; }
  double operator()(int row, int column) const {
    if (row < rows && column < columns) return costs[static_cast<size_t>(row) * columns + column];
    return row >= rows && column >= columns ? 0.0 : limit / 2.0;
  }
};

/// Grows the matching by one row along a shortest augmenting path. Index 0 of the arrays is the
/// path's free end.
class Matching {
 public:
  explicit Matching(const PaddedCosts& costs)
      : costs_(costs),
        row_price_(costs.size() + 1),
        column_price_(costs.size() + 1),
        row_of_(costs.size() + 1) {}

  void add_row(int row) {
    const int size = costs_.size();
    std::vector<double> distance(size + 1, std::numeric_limits<double>::infinity());
    std::vector<int> previous(size + 1);
    std::vector<bool> visited(size + 1);
    row_of_[0] = row;
    int column = 0;
    while (row_of_[column] != 0) {
      visited[column] = true;
      const int next = relax(column, visited, distance, previous);
      shift_prices(distance[next], visited, distance);
      column = next;
    }
    for (; column != 0; column = previous[column]) row_of_[column] = row_of_[previous[column]];
  }

  int row_of(int column) const { return row_of_[column]; }

 private:
  int relax(int column, const std::vector<bool>& visited, std::vector<double>& distance,
            std::vector<int>& previous) const {
    const int row = row_of_[column];
    int nearest = 0;
    for (int j = 1; j <= costs_.size(); ++j) {
      if (visited[j]) continue;
      const double reduced = costs_(row - 1, j - 1) - row_price_[row] - column_price_[j];
      if (reduced < distance[j]) {
        distance[j] = reduced;
        previous[j] = column;
      }
      if (nearest == 0 || distance[j] < distance[nearest]) nearest = j;
    }
    return nearest;
  }

  void shift_prices(double delta, const std::vector<bool>& visited, std::vector<double>& distance) {
    for (int j = 0; j <= costs_.size(); ++j) {
      if (visited[j]) {
        row_price_[row_of_[j]] += delta;
        column_price_[j] -= delta;
      } else {
        distance[j] -= delta;
      }
    }
  }

  const PaddedCosts& costs_;
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<int> row_of_;  // 1-based; 0 = free
};

}  // namespace

std::vector<int> assign(std::span<const float> costs, int rows, int columns, float limit) {
  check(costs.size() == static_cast<size_t>(rows) * columns, ErrorCode::kInternal, "assignment of ",
        rows, " by ", columns, " got ", costs.size(), " costs");
  std::vector<int> column_of_row(rows, kUnassigned);
  if (rows == 0 || columns == 0) return column_of_row;
  const PaddedCosts padded{costs, rows, columns, limit};
  Matching matching(padded);
  for (int row = 1; row <= padded.size(); ++row) matching.add_row(row);
  for (int column = 1; column <= columns; ++column)
    if (matching.row_of(column) <= rows) column_of_row[matching.row_of(column) - 1] = column - 1;
  return column_of_row;
}

}  // namespace prismvid::vision
