#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "document/document.h"

namespace prismvid::document {

struct CheckOptions {
  int64_t merge_gap_us = 500'000;
  /// Time of a frame, where the caller knows it; keyframes are then held against it.
  std::function<std::optional<int64_t>(int64_t frame)> pts_of;
};

/// Every rule the schema cannot express, as one sentence for each breach; empty when the document
/// is sound. docs/document.md lists the rules.
std::vector<std::string> check_document(const Document& document, const CheckOptions& options = {});

}  // namespace prismvid::document
