#pragma once

#include <vector>

#include "deep/parts.h"

// Long videos by levels: what is too much to read at once is read section by section. Inside deep
// only.
namespace prismvid::deep {

/// A run of captions that can be read at once.
struct Section {
  TimeRange range;  // sections tile the analysed range
  std::vector<Caption> captions;
};

std::vector<Section> cut_sections(const Work& work, const std::vector<Caption>& captions);

/// Captions that can be read at once: those given, or a short summary for each section of them, as
/// often as needed. The replies' tokens are added to `result`.
std::vector<Caption> condensed(const Work& work, const std::vector<Caption>& captions,
                               StageResult& result);

}  // namespace prismvid::deep
