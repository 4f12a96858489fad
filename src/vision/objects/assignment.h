#pragma once

#include <span>
#include <vector>

namespace prismvid::vision {

inline constexpr int kUnassigned = -1;

/// Pairs rows with columns so that the sum of costs is least, leaving out pairs that cost more than
/// `limit` (linear assignment by shortest augmenting paths, Jonker and Volgenant 1987; a pair left
/// out costs `limit`). `costs` is row-major, rows by columns. Gives for each row its column or
/// kUnassigned.
std::vector<int> assign(std::span<const float> costs, int rows, int columns, float limit);

}  // namespace prismvid::vision
