#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/image.h"
#include "models/qwen3_vl/model.h"
#include "models/qwen3_vl/patches.h"
#include "tokenizer/tokenizer.h"

namespace prismvid::qwen3_vl {

inline const std::filesystem::path kGolden = GOLDEN_FOLDER;

/// The tokenizer of the tiny checkpoints.
const tokenizer::Tokenizer& tiny_tokenizer();

/// A tiny checkpoint in float32, loaded once.
const Model& tiny_model(const std::string& kind);

/// What the reference computed on it: see tools/parity/model_goldens.py.
const std::map<std::string, mx::array>& goldens(const std::string& kind);

/// The picture that model_goldens.py calls picture(width, height, number).
Image synthetic_picture(int width, int height, int number);

/// A conversation of the goldens, ready to run.
struct Case {
  std::string name;
  Prompt prompt;
  std::vector<PatchRows> media;  // in prompt order
};
std::vector<Case> golden_cases(const Model& model);

/// Features of all media of a case.
std::optional<VisionFeatures> encode_all(const Model& model, const Case& one,
                                         const Trace& trace = {});

/// Logits of the last tokens after prefilling in chunks of at most `chunk`.
mx::array prefill_logits(const Model& model, Sequence& sequence, const Case& one,
                         const std::optional<VisionFeatures>& features, int chunk, int last);

/// Greedy continuation.
std::vector<int> greedy_tokens(const Model& model, const Case& one, int chunk, int count);

/// Largest difference relative to the largest magnitude of `expected`.
float relative_error(const mx::array& actual, const mx::array& expected);

/// Cosine of the angle between two arrays seen as vectors.
float cosine(const mx::array& a, const mx::array& b);

/// "1.2e-06"
std::string scientific(float value);

std::vector<int> to_ints(const mx::array& values);

}  // namespace prismvid::qwen3_vl
