#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/image.h"
#include "deep/model.h"

namespace prismvid::deep {

/// What a picture shows.
struct Description {
  std::string title;
  std::string text;
  document::Json by;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
};

struct DescribeOptions {
  std::string language = "en";
  std::string facts = "none";  // what is known of the picture, one a line
  std::stop_token stop = {};
};

/// Describes one picture. Throws Error(kModel) where the model gives no reply of the right form.
Description describe_keyframe(const Image& picture, Model& model,
                              const DescribeOptions& options = {});

/// A thing in a picture.
struct Located {
  Box box;  // 0..1 of the picture
  std::string label;
};

/// Where `target` ("the red cup", "everything") is in a picture; empty when it is not there. Throws
/// Error(kModel).
std::vector<Located> locate(const Image& picture, const std::string& target, Model& model,
                            std::stop_token stop = {});

}  // namespace prismvid::deep
