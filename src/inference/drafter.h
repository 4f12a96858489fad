#pragma once

#include <span>
#include <vector>

// Inside inference only.
namespace prismvid::inference {

/// What a step costs, for how much may be guessed ahead.
struct StepCost {
  double row = 0.3;   // of each further row, as a share of a step of one row
  int sequences = 1;  // that take a token in this step

  /// Chance of being right from which a guessed token is worth its row: what the row costs, as a
  /// share of what a token costs otherwise.
  double least_chance() const { return row / ((1 - row) / sequences + row); }
};

/// How often guesses of one kind were right lately, and so how many to make.
class Acceptance {
 public:
  explicit Acceptance(double chance) : chance_(chance) {}

  /// How many of `guesses` to make. Where they do not pay: none, but one now and then to see
  /// whether they do again.
  int worth(int guesses, const StepCost& cost);
  /// Of the guesses made `right` were right, the one behind those was not unless they are `all`.
  void note(int right, bool all);

  double chance() const { return chance_; }

 private:
  double chance_;
  int passed_over_ = 0;
};

/// Guesses tokens by what followed the same tokens earlier in the prompt or the answer
/// (prompt look-up). Not thread-safe.
class LookUp {
 public:
  static constexpr int kNoText = -1;  // a visual token: never guessed, never looked up

  explicit LookUp(std::vector<int> prompt) : tokens_(std::move(prompt)) {}

  void push(int id) { tokens_.push_back(id); }
  /// What followed the latest of the longest equal stretches of 3 tokens or more, at most `most`.
  std::vector<int> guess(int most) const;

 private:
  std::vector<int> tokens_;
};

}  // namespace prismvid::inference
