#pragma once

#include <string_view>
#include <vector>

namespace prismvid::nn::kernels {

/// Instruction-set levels, lowest first. The portable one is the definition of every kernel.
enum class Isa {
  kPortable,
  kAvx2,        // AVX2, FMA, F16C
  kAvxVnni,     // and with AVX-VNNI
  kAvx512,      // AVX-512 F, BW, DQ, VL with VNNI
  kAvx512Bf16,  // and with BF16
  kAmx,         // and with AMX's tiles of bf16
  kNeon,        // Armv8.2 with the dot product of bytes
  kNeonI8mm,    // and its matrix product of bytes (FEAT_I8MM)
};

const char* to_string(Isa isa);

/// Whether a level is one of x86's, which have kernels of bytes in two parts (Precision::kFull).
bool is_x86(Isa isa);

/// The family of AMD's processor, 0x19 for Zen 3 and 4, 0x1a for Zen 5; 0 for others' processors.
int amd_family();

/// Levels this processor can run, lowest first.
std::vector<Isa> supported_isas();

/// The highest supported level, or the one PRISMVID_ISA names (portable, avx2, avx_vnni,
/// avx512, avx512_bf16, amx, neon, neon_i8mm).
/// Throws kInvalidArgument for another name and kUnavailable for a level this processor lacks.
Isa chosen_isa();

}  // namespace prismvid::nn::kernels
