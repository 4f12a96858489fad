#pragma once

#include <vector>

#include "models/qwen3_vl/patches.h"
#include "models/qwen3_vl/positions.h"
#include "models/qwen3_vl/video_plan.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace prismvid::qwen3_vl {

/// A picture or video of the prompt, as its place takes it.
struct MediaLayout {
  Grid grid;                  // in patches; t = 1 for a picture
  std::vector<double> times;  // seconds, one for each pair of frames; empty for a picture
};

struct Prompt {
  std::vector<int> ids;
  std::vector<VisualSpan>
      spans;  // in order; each picture one, each video one for each pair of frames
};

/// Token ids of a rendered conversation with the places of pictures and videos filled, in prompt
/// order. Throws Error(kInvalidArgument) where `media` does not match the places.
Prompt make_prompt(const std::vector<tokenizer::PromptPiece>& pieces,
                   const std::vector<MediaLayout>& media, const tokenizer::Tokenizer& tokenizer,
                   const Config& config, VideoDialect dialect = VideoDialect::kRelease);

}  // namespace prismvid::qwen3_vl
