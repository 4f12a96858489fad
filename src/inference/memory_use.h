#pragma once

#include <chrono>
#include <cstdint>

#include "inference/vision_language_model.h"

// Inside inference only.
namespace prismvid::inference {

struct LoadedModel;
struct PlannedPrompt;

/// Most bytes this process has held at once, or the device where that is more.
uint64_t peak_memory();

/// What the engine may use where nothing else is said: four fifths of the memory this process
/// may use, container limits included.
uint64_t default_memory_budget();

/// An estimate from above of what a request holds while it runs: keys and values of its longest
/// answer, vision features, patches that wait, and the largest activations.
uint64_t request_bytes(const LoadedModel& model, const PlannedPrompt& planned,
                       const GenerateOptions& options);

/// "3.2 GB"
std::string gigabytes(uint64_t bytes);

inline double milliseconds_between(std::chrono::steady_clock::time_point start,
                                   std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

}  // namespace prismvid::inference
