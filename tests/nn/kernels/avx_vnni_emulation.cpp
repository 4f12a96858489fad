// Lets the kernels' tests run at the level avx_vnni where the processor has AVX2 alone: this
// program takes the level for there, and carries its two instructions out when they trap.
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

// As on such a processor.
int cpuid_count_with_avx_vnni(unsigned leaf, unsigned part, unsigned* a, unsigned* b, unsigned* c,
                              unsigned* d) {
  const int known = __get_cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 1) *a |= 1u << 4;
  return known;
}

}  // namespace

#define __get_cpuid_count cpuid_count_with_avx_vnni
#include "nn/kernels/isa.cpp"  // in place of the library's
#undef __get_cpuid_count

namespace {

/// The registers of a signal's context, whose halves lie apart (Intel's manual, volume 1, 13.4).
class Registers {
 public:
  explicit Registers(ucontext_t& context)
      : area_(reinterpret_cast<std::uint8_t*>(context.uc_mcontext.fpregs)) {
    unsigned a = 0, c = 0, d = 0;
    __cpuid_count(0xd, 2, a, high_at_, c, d);
    take_into_use(1, kLowAt);
    take_into_use(2, high_at_);
  }

  template <class Lane>
  void read(unsigned index, Lane* lanes) const {
    std::memcpy(lanes, half(kLowAt, index), 16);
    std::memcpy(reinterpret_cast<std::uint8_t*>(lanes) + 16, half(high_at_, index), 16);
  }
  void write(unsigned index, const std::uint32_t* lanes) {
    std::memcpy(half(kLowAt, index), lanes, 16);
    std::memcpy(half(high_at_, index), lanes + 4, 16);
  }

 private:
  static constexpr unsigned kLowAt = 160, kHeaderAt = 512;

  std::uint8_t* half(unsigned at, unsigned index) const { return area_ + at + 16 * index; }
  /// What is in its first state is not written to the area.
  void take_into_use(int component, unsigned at) {
    std::uint64_t used;
    std::memcpy(&used, area_ + kHeaderAt, 8);
    if (used >> component & 1) return;
    std::memset(area_ + at, 0, 256);
    used |= std::uint64_t{1} << component;
    std::memcpy(area_ + kHeaderAt, &used, 8);
  }

  std::uint8_t* area_;
  unsigned high_at_ = 0;
};

std::uint32_t dot_bytes(std::uint32_t sum, const std::uint8_t* a, const std::uint8_t* b) {
  for (int i = 0; i < 4; ++i)
    sum += static_cast<std::uint32_t>(a[i] * static_cast<std::int8_t>(b[i]));
  return sum;
}

std::uint32_t dot_words(std::uint32_t sum, const std::uint8_t* a, const std::uint8_t* b) {
  std::int16_t x[2], y[2];
  std::memcpy(x, a, 4);
  std::memcpy(y, b, 4);
  return sum + static_cast<std::uint32_t>(x[0] * y[0]) + static_cast<std::uint32_t>(x[1] * y[1]);
}

/// VPDPBUSD and VPDPWSSD of three 256-bit registers, in their three-byte VEX form.
void carry_out(int, siginfo_t*, void* signal_context) {
  auto& context = *static_cast<ucontext_t*>(signal_context);
  auto& next = context.uc_mcontext.gregs[REG_RIP];
  const auto* code = reinterpret_cast<const std::uint8_t*>(next);
  const bool is_known = code[0] == 0xc4 && (code[1] & 31) == 2 && (code[2] & 0x87) == 5 &&
                        (code[3] == 0x50 || code[3] == 0x52) && code[4] >> 6 == 3;
  if (!is_known) std::abort();
  const unsigned first = (~code[2] >> 3) & 15u;
  const unsigned second = (code[4] & 7u) | (code[1] & 0x20 ? 0u : 8u);
  const unsigned sum = (code[4] >> 3 & 7u) | (code[1] & 0x80 ? 0u : 8u);
  Registers registers(context);
  std::uint8_t a[32], b[32];
  std::uint32_t sums[8];
  registers.read(first, a);
  registers.read(second, b);
  registers.read(sum, sums);
  for (int i = 0; i < 8; ++i)
    sums[i] = (code[3] == 0x50 ? dot_bytes : dot_words)(sums[i], a + 4 * i, b + 4 * i);
  registers.write(sum, sums);
  next += 5;
}

const bool is_ready = [] {
  if (!__builtin_cpu_supports("avx2")) std::exit(77);
  struct sigaction action = {};
  action.sa_sigaction = carry_out;
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGILL, &action, nullptr) == 0;
}();

}  // namespace
