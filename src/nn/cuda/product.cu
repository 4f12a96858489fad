// The product kernels of one number of bits (PRISMVID_BITS, 16: bf16), by name: token_<unit> for
// one token, step_<unit> or wide_step_<unit> for all of its layers where packed, tiles_<unit> to
// arrange weights for both; product_<unit> for up to 8;
// arrange_<unit>_<column tiles> and then wide_<unit>_<column tiles> for more, or those of
// warpgroups_<unit>_<column tiles>. Experts, where packed: gated_experts_<unit> and then
// mixed_experts_<unit>.
#include "expert_product.cuh"
#include "token_step.cuh"
#include "warpgroup_product.cuh"

namespace prismvid::cuda {

#define PRISMVID_PRODUCT(unit)                                                 \
  extern "C" __global__ void __launch_bounds__(256)                            \
      product_##unit(const __grid_constant__ ProductArguments arguments) {     \
    extern __shared__ __align__(128) char shared[];                            \
    Product<ProductShape<PRISMVID_BITS, unit, 1, 8>>(arguments, shared).run(); \
  }
#define PRISMVID_WIDE(unit, tiles)                                                     \
  extern "C" __global__ void __launch_bounds__(256)                                    \
      arrange_##unit##_##tiles(const __grid_constant__ ProductArguments arguments) {   \
    __shared__ float lengths[8 * tiles];                                               \
    Arranger<ProductShape<PRISMVID_BITS, unit, tiles, 1>>(arguments, lengths).run();   \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(256)                                    \
      wide_##unit##_##tiles(const __grid_constant__ ProductArguments arguments) {      \
    extern __shared__ __align__(128) char shared[];                                    \
    WideProduct<ProductShape<PRISMVID_BITS, unit, tiles, 1>>(arguments, shared).run(); \
  }                                                                                    \
  PRISMVID_WARPGROUPS(unit, tiles, WarpgroupShape<PRISMVID_BITS, unit, tiles>)

#define PRISMVID_WARPGROUPS(unit, tiles, ...)                                                   \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__::kThreads)                           \
      arrange_warpgroups_##unit##_##tiles(const __grid_constant__ ProductArguments arguments) { \
    arrange_for_warpgroups<__VA_ARGS__>(arguments);                                             \
  }                                                                                             \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__::kThreads)                           \
      wide_warpgroups_##unit##_##tiles(const __grid_constant__ ProductArguments arguments) {    \
    extern __shared__ __align__(128) char shared[];                                             \
    multiply_by_warpgroups<__VA_ARGS__>(arguments, shared);                                     \
  }

#define PRISMVID_TOKEN(unit)                                                                 \
  extern "C" __global__ void __launch_bounds__(TokenShape<PRISMVID_BITS, unit>::kThreads, 1) \
      token_##unit(const __grid_constant__ ProductArguments arguments) {                     \
    extern __shared__ __align__(128) char shared[];                                          \
    multiply_token<TokenShape<PRISMVID_BITS, unit>>(arguments, shared);                      \
  }

#define PRISMVID_EXPERTS(name, part, unit)                                       \
  extern "C" __global__ void __launch_bounds__(                                  \
      ExpertShape<PRISMVID_BITS, unit, ExpertPart::part>::kThreads)              \
      name##_experts_##unit(const __grid_constant__ ExpertArguments arguments) { \
    extern __shared__ __align__(128) char shared[];                              \
    using Shape = ExpertShape<PRISMVID_BITS, unit, ExpertPart::part>;            \
    ExpertProduct<Shape>(arguments, shared).run();                               \
  }

#define PRISMVID_STEP(name, unit, wide)                                                      \
  extern "C" __global__ void __launch_bounds__(TokenShape<PRISMVID_BITS, unit>::kThreads, 1) \
      name##_##unit(const __grid_constant__ StepArguments arguments) {                       \
    extern __shared__ __align__(128) char shared[];                                          \
    run_step<StepShape<PRISMVID_BITS, unit, wide>>(arguments, shared);                       \
  }

#define PRISMVID_TILES(unit)                                                                 \
  extern "C" __global__ void tiles_##unit(const __grid_constant__ TileArguments arguments) { \
    arrange_tiles<TokenShape<PRISMVID_BITS, unit>>(arguments.product, arguments.out);        \
  }

PRISMVID_PRODUCT(64)
PRISMVID_WIDE(64, 4)
PRISMVID_WIDE(64, 8)
PRISMVID_TOKEN(64)
PRISMVID_TILES(64)
#if PRISMVID_BITS < 16
PRISMVID_TOKEN(32)
PRISMVID_TILES(32)
PRISMVID_STEP(step, 64, false)
PRISMVID_STEP(step, 32, false)
PRISMVID_STEP(wide_step, 64, true)
PRISMVID_STEP(wide_step, 32, true)
PRISMVID_PRODUCT(32)
PRISMVID_WIDE(32, 4)
PRISMVID_WIDE(32, 8)
PRISMVID_EXPERTS(gated, kGated, 64)
PRISMVID_EXPERTS(mixed, kMixed, 64)
PRISMVID_EXPERTS(gated, kGated, 32)
PRISMVID_EXPERTS(mixed, kMixed, 32)
#endif

}  // namespace prismvid::cuda
