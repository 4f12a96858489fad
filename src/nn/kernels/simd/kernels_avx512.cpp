#include "nn/kernels/simd/attend_rows.h"
#include "nn/kernels/simd/byte_attention.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

const KernelTable& avx512_kernels() {
  static const KernelTable table = [] {
    using Lanes = Avx512Lanes<false>;
    using Floats = FloatDot<Lanes>;
    KernelTable changed = avx2_kernels();
    changed.isa = Isa::kAvx512;
    changed.prepare[0] = prepare<ByteDot<Lanes>>;
    changed.multiply[0] = multiply<ByteDot<Lanes>>;
    changed.prepare[1] = prepare<ByteDot<Lanes, 2>>;
    changed.multiply[1] = multiply<ByteDot<Lanes, 2>>;
    changed.prepare_sums[0] = prepare<ByteSumDot<Lanes>>;
    changed.multiply_sums[0] = multiply<ByteSumDot<Lanes>>;
    changed.prepare_sums[1] = prepare<ByteSumDot<Lanes, 2>>;
    changed.multiply_sums[1] = multiply<ByteSumDot<Lanes, 2>>;
    changed.prepare_dense[0] = changed.prepare_dense[1] = prepare<Floats>;
    changed.multiply_dense[0] = multiply_dense<Floats>;
    changed.multiply_dense[1] = multiply_dense<Floats, WidenedPairs<Floats>>;
    changed.attend_rows = attend_rows<Lanes>;
    changed.expand = expand<Lanes>;
    changed.normalize = normalize<Lanes>;
    changed.rotate = rotate<Lanes>;
    changed.activate[0] = activate<Lanes, SwiGlu>;
    changed.activate[1] = activate<Lanes, Gelu>;
    changed.activate[2] = activate<Lanes, GeluTanh>;
    changed.pack_keys[0] = changed.pack_keys[1] = pack_keys<Floats>;
    changed.pack_values[0] = changed.pack_values[1] = pack_values<Floats>;
    changed.attend_block[0] = changed.attend_block[1] = attend_block<Floats>;
    changed.pack_keys[2] = pack_byte_keys<ByteKeys<Lanes>>;
    changed.pack_values[2] = pack_byte_values<Lanes>;
    changed.attend_block[2] = attend_block<ByteScores<ByteKeys<Lanes>>, ByteMix<Lanes>>;
    return changed;
  }();
  return table;
}

}  // namespace prismvid::nn::kernels
