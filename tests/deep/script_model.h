#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "deep/model.h"

namespace prismvid::deep {

/// A model that answers as the test wants and remembers what it was asked.
class ScriptModel : public Model {
 public:
  using Answer = std::function<std::string(const Request&)>;

  explicit ScriptModel(Answer answer = {}) : answer_(std::move(answer)) {
    card_.id = "script";
    card_.sha256 = std::string(64, 'a');
    card_.backend = "mlx-cpu";
    card_.device = "cpu";
    feeding_.keyframes = 0;
  }

  const document::StageModel& card() const override { return card_; }
  const Feeding& feeding() const override { return feeding_; }
  Image resized(ImageView, int) const override { return Image(32, 32, 3); }
  int count_tokens(const std::string& text) const override {
    return static_cast<int>(text.size() / 4 + 1);
  }

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token) override {
    for (size_t i = 0; i < requests.size(); ++i) {
      asked.push_back(requests[i].looked());
      Reply reply;
      reply.text = answer_(asked.back());
      if (requests[i].on_text)  // three bytes at a time
        for (size_t at = 0; at < reply.text.size(); at += 3)
          requests[i].on_text(reply.text.substr(at, 3));
      reply.tokens_in = 100;
      reply.tokens_out = 10;
      take(i, std::move(reply));
    }
  }

  std::vector<Request> asked;
  document::StageModel card_;
  Feeding feeding_;

 private:
  Answer answer_;
};

}  // namespace prismvid::deep
