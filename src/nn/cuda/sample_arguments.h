#pragma once
// What the kernels that draw tokens and the program around them share.
#include "arguments.h"

namespace prismvid::cuda {

constexpr int kSampleBlocks = 32, kSampleThreads = 256;
constexpr int kMostTopK = kSampleThreads;
constexpr int kEdgePasses = 3, kEdgeBins = 2048;  // of 11, 11 and 10 bits of a logit

// How to pick one token.
struct SampleRule {
  float scale;  // log2(e) / temperature; 0: the likeliest
  int top_k;    // 0: off, at most kMostTopK
  float top_p, min_p;
  float presence, frequency, repetition;
  int unused;
  int* counts;           // (vocabulary): how often each was picked; null: no penalties
  const float* biases;   // (vocabulary) or null
  const uint32_t* mask;  // a bit for each token that may be picked, or null
};

// Between the kernels.
struct SampleState {
  double uniform;             // in [0, 1)
  unsigned long long above;   // what lies above the edge: tokens for top-k, else weights
  unsigned long long wanted;  // where there is as much, no more is kept
  float best;
  int best_id;
  uint32_t edge;  // ordered_bits() of the smallest logit that is kept, as far as it is known
  int equals;     // so many that are equal to it are kept, those with the lowest ids
  uint32_t listed;
  int unused;
};

struct SampleArguments {
  GreedyArguments next;      // logits (changed), partial, where the result goes
  const SampleRule* rules;   // (tokens)
  SampleState* states;       // (tokens)
  const double* uniforms;    // (kHistory, tokens) in the host's memory, by steps
  unsigned long long* bins;  // (tokens, kEdgeBins): zeros
  ulonglong2* sums;          // (tokens, kSampleBlocks): weights above the edge, number at the edge
  unsigned long long* list;  // (tokens, kMostTopK)
  int pass;                  // of find_edge()
};

}  // namespace prismvid::cuda
