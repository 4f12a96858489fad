#include "nn/kernels/isa.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace prismvid::nn::kernels {
namespace {

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
#else
  return false;
#endif
}

bool has_avx_vnni() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4)) != 0;
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(__x86_64__)
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

bool has_avx512_bf16() {
#if defined(__x86_64__)
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool has_amx() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBfloat16 = 1u << 22, kTiles = 1u << 24;
  if (!has_avx512_bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & kBfloat16) == 0 ||
      (d & kTiles) == 0)
    return false;
  // Linux gives a process tiles when it asks (Documentation/arch/x86/xstate.rst).
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool is_allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return is_allowed;
#else
  return false;
#endif
}

#if defined(__aarch64__) && defined(__APPLE__)
bool system_has(const char* feature) {
  int has = 0;
  std::size_t size = sizeof(has);
  return sysctlbyname(feature, &has, &size, nullptr, 0) == 0 && has;
}
#endif

bool has_neon_dot() {
#if defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  return system_has("hw.optional.arm.FEAT_DotProd");
#else
  return false;
#endif
}

bool has_neon_i8mm() {
#if defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  return system_has("hw.optional.arm.FEAT_I8MM");
#else
  return false;
#endif
}

}  // namespace

const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvxVnni:
      return "avx_vnni";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAmx:
      return "amx";
    case Isa::kNeon:
      return "neon";
    case Isa::kNeonI8mm:
      return "neon_i8mm";
  }
  return "unknown";
}

bool is_x86(Isa isa) {
  return isa == Isa::kAvx2 || isa == Isa::kAvxVnni || isa == Isa::kAvx512 ||
         isa == Isa::kAvx512Bf16 || isa == Isa::kAmx;
}

int amd_family() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__builtin_cpu_is("amd") || !__get_cpuid(1, &a, &b, &c, &d)) return 0;
  return static_cast<int>((a >> 8 & 0xf) + (a >> 20 & 0xff));  // AMD64 manual, CPUID Fn0000_0001
#else
  return 0;
#endif
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> levels = {Isa::kPortable};
  if (has_avx2()) levels.push_back(Isa::kAvx2);
  if (has_avx_vnni()) levels.push_back(Isa::kAvxVnni);
  if (has_avx512()) levels.push_back(Isa::kAvx512);
  if (has_avx512_bf16()) levels.push_back(Isa::kAvx512Bf16);
  if (has_amx()) levels.push_back(Isa::kAmx);
  if (has_neon_dot()) levels.push_back(Isa::kNeon);
  if (has_neon_dot() && has_neon_i8mm()) levels.push_back(Isa::kNeonI8mm);
  return levels;
}

Isa chosen_isa() {
  const auto levels = supported_isas();
  const char* name = std::getenv("PRISMVID_ISA");
  if (name == nullptr || *name == '\0') return levels.back();
  for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Bf16,
                  Isa::kAmx, Isa::kNeon, Isa::kNeonI8mm}) {
    if (std::string_view(name) != to_string(isa)) continue;
    check(std::find(levels.begin(), levels.end(), isa) != levels.end(), ErrorCode::kUnavailable,
          "PRISMVID_ISA=", name, ": this processor goes up to ", to_string(levels.back()));
    return isa;
  }
  fail(ErrorCode::kInvalidArgument, "PRISMVID_ISA=", name,
       ": use portable, avx2, avx_vnni, avx512, avx512_bf16, amx, neon or neon_i8mm");
}

}  // namespace prismvid::nn::kernels
