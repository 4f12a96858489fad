#include "inference/answer_builder.h"

#include <algorithm>

namespace prismvid::inference {
namespace {

// How many characters at the end of `text` are the beginning of `stop`.
size_t overlap(const std::string& text, const std::string& stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length)
    if (text.compare(text.size() - length, length, stop, 0, length) == 0) return length;
  return 0;
}

}  // namespace

TextDelta AnswerBuilder::push(int id) {
  if (stopped_) return {};
  if (thinking_ && id == close_token_) {
    TextDelta delta = add(decoder_.finish());
    while (!reasoning_.empty() && reasoning_.back() == '\n') reasoning_.pop_back();
    thinking_ = false;
    trim_next_ = true;
    return delta;
  }
  return add(decoder_.push(id));
}

TextDelta AnswerBuilder::finish() {
  TextDelta delta = add(stopped_ ? std::string() : decoder_.finish());
  delta.text += release(true);
  return delta;
}

TextDelta AnswerBuilder::add(const std::string& piece) {
  if (thinking_) {
    reasoning_ += piece;
    return {piece, ""};
  }
  held_ += piece;
  if (trim_next_) {
    held_.erase(0, held_.find_first_not_of('\n'));
    trim_next_ = held_.empty();
  }
  for (const std::string& stop : stops_) {
    const size_t at = stop.empty() ? std::string::npos : held_.find(stop);
    if (at == std::string::npos) continue;
    stopped_ = true;
    held_.erase(at);
  }
  return {"", release(stopped_)};
}

std::string AnswerBuilder::release(bool all) {
  size_t keep = 0;
  if (!all)
    for (const std::string& stop : stops_)
      if (!stop.empty()) keep = std::max(keep, overlap(held_, stop));
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, out.size());
  text_ += out;
  return out;
}

}  // namespace prismvid::inference
