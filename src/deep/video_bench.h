#pragma once

#include <filesystem>
#include <stop_token>

#include "core/geometry.h"
#include "deep/model.h"

namespace prismvid::deep {

/// Seconds from a question to the first piece of its reply, and what they are made of: until its
/// window's frames are there, the tower, the prompt; the rest is the program's.
struct FirstToken {
  double seconds = 0;
  double frames_seconds = 0;
  double vision_seconds = 0;
  double prefill_seconds = 0;
};

/// Seconds that the deep stage takes for a file, decoding it included; its shots are not looked
/// for.
struct VideoBenchResult {
  double media_seconds = 0;
  int windows = 0;
  double captions_seconds = 0;
  double summary_seconds = 0;
  // The slowest of three questions behind that, about the first, the middle and the last window.
  FirstToken first_token;          // as the stages left the memory
  FirstToken first_token_anew;     // as in a new process: what is kept lies on the disk
  FirstToken first_token_unknown;  // nothing is kept of the video
  int64_t frames = 0;              // looked at for the captions
  Size frame;                      // in which the model gets them
  int64_t caption_tokens_in = 0;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
};

/// Writes captions of every window, the summary, then asks. `reply_tokens`: of every reply, with
/// FixedReplies; 0: as the model ends them. Throws what the stages throw.
VideoBenchResult bench_video(Model& model, const std::filesystem::path& video, int reply_tokens,
                             std::stop_token stop);

}  // namespace prismvid::deep
