#pragma once

#include <functional>
#include <span>
#include <string>

#include "deep/forwarding_model.h"

namespace prismvid::deep {

/// Asks a model for replies of exactly `tokens` tokens and hands on well-formed ones of that length
/// instead of what it wrote: stages run to their end at a known cost, also with random weights.
/// For measurements only.
class FixedReplies : public ForwardingModel {
 public:
  /// `model` must outlive this.
  FixedReplies(Model& model, int tokens);

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override;

 private:
  std::string words(int tokens) const;

  const int tokens_;
};

}  // namespace prismvid::deep
