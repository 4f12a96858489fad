#include "models/qwen3_vl/prompt.h"

#include "core/error.h"
#include "tokenizer/prompt_encoder.h"

namespace prismvid::qwen3_vl {
namespace {

using Kind = tokenizer::PromptPiece::Kind;

class Builder {
 public:
  Builder(const tokenizer::Tokenizer& tokenizer, const Config& config, VideoDialect dialect)
      : encoder_(tokenizer), config_(config), dialect_(dialect) {}

  void add_words(const tokenizer::PromptPiece& piece) {
    if (piece.kind == Kind::kText)
      encoder_.add_text(piece.text);
    else
      encoder_.add_literal(piece.text);
  }

  void add_image(const MediaLayout& image) { add_block(config_.image_token, image.grid); }

  void add_video(const MediaLayout& video) {
    const bool outer = dialect_ == VideoDialect::kOuter;
    if (outer) encoder_.add_token(config_.vision_start_token);
    for (const double time : video.times) {
      encoder_.add_text(timestamp_text(time));
      add_block(config_.video_token, video.grid);
    }
    if (outer) encoder_.add_token(config_.vision_end_token);
  }

  Prompt finish() {
    Prompt prompt{encoder_.finish(), {}};
    size_t next = 0;
    const int size = static_cast<int>(prompt.ids.size());
    for (int i = 0; i < size && next < blocks_.size();) {
      if (prompt.ids[i] != config_.image_token && prompt.ids[i] != config_.video_token) {
        ++i;
        continue;
      }
      prompt.spans.push_back({i, blocks_[next].rows, blocks_[next].columns});
      i = prompt.spans.back().end();
      ++next;
    }
    return prompt;
  }

 private:
  void add_block(int token, const Grid& grid) {
    const int merge = config_.vision.spatial_merge_size;
    blocks_.push_back({0, grid.h / merge, grid.w / merge});
    encoder_.add_token(config_.vision_start_token);
    encoder_.add_token(token, blocks_.back().tokens());
    encoder_.add_token(config_.vision_end_token);
  }

  tokenizer::PromptEncoder encoder_;
  const Config& config_;
  const VideoDialect dialect_;
  std::vector<VisualSpan> blocks_;  // starts not known yet
};

}  // namespace

Prompt make_prompt(const std::vector<tokenizer::PromptPiece>& pieces,
                   const std::vector<MediaLayout>& media, const tokenizer::Tokenizer& tokenizer,
                   const Config& config, VideoDialect dialect) {
  Builder builder(tokenizer, config, dialect);
  size_t next = 0;
  for (const auto& piece : pieces) {
    if (piece.kind == Kind::kLiteral || piece.kind == Kind::kText) {
      builder.add_words(piece);
      continue;
    }
    check(next < media.size(), ErrorCode::kInvalidArgument,
          "the conversation has more places for media than media");
    const MediaLayout& layout = media[next++];
    const bool video = !layout.times.empty();
    check(video == (piece.kind == Kind::kVideo), ErrorCode::kInvalidArgument, "medium ", next,
          " of the conversation is ", video ? "a video" : "an image",
          " where the other is announced");
    if (video)
      builder.add_video(layout);
    else
      builder.add_image(layout);
  }
  check(next == media.size(), ErrorCode::kInvalidArgument, media.size(), " media given, ", next,
        " places for them in the conversation");
  return builder.finish();
}

}  // namespace prismvid::qwen3_vl
