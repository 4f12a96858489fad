#pragma once

#include <string_view>
#include <vector>

namespace prismvid::nn::kernels {

/// Instruction-set levels, lowest first. The portable one is the definition of every kernel.
enum class Isa {
  kPortable,
  kAvx2,    // AVX2, FMA, F16C
  kAvx512,  // AVX-512 F, BW, DQ, VL with VNNI and BF16
};

const char* to_string(Isa isa);

/// Levels this processor can run, lowest first.
std::vector<Isa> supported_isas();

/// The highest supported level, or the one PRISMVID_ISA names (portable, avx2, avx512).
/// Throws kInvalidArgument for another name and kUnavailable for a level this processor lacks.
Isa chosen_isa();

}  // namespace prismvid::nn::kernels
