#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deep/replies.h"
#include "deep/stages.h"

// What the stages share. Inside deep only.
namespace prismvid::deep {

/// One thing to ask about a part of the video, or about words alone.
struct Part {
  TimeRange range;
  PromptValues values;
  bool looks = true;  // at the range's frames
  int max_tokens = 1024;
  bool person_waits = false;
  std::function<void(const std::string& piece)> on_text = {};  // as Request; not of a kept reply
};

/// Asks for every part: answered from the store where the very same was asked before, else of the
/// model, while the frames of the next few are decoded. A sound reply is kept. `take` gets the
/// replies in order, with what was shown (its frames only where they were decoded now).
void ask_parts(const Work& work, const Prompt& prompt, const std::vector<Part>& parts,
               const std::function<void(size_t index, const Checked&, const Clip& shown)>& take);

/// ask_parts() of one part that reads words only.
Checked ask_reading(const Work& work, const Prompt& prompt, const PromptValues& values,
                    int max_tokens = 1024);

/// Counts what was left out, for the stage's warnings.
class Losses {
 public:
  void add(const std::string& what);
  /// "caption: left out 2 captions that cite what was not shown".
  std::vector<std::string> warnings(const std::string& stage) const;
  int count() const;

 private:
  std::vector<std::pair<std::string, int>> losses_;
};

}  // namespace prismvid::deep
