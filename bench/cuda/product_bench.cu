// The products of a decode step at 8B shapes, without MLX: correctness against float64, then times.
//   nvcc -std=c++20 -O3 -gencode=arch=compute_90a,code=sm_90a -Isrc bench/cuda/product_bench.cu
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "nn/cuda/attention.cuh"
#include "nn/cuda/product.cuh"
#include "nn/cuda/token.cuh"
#include "nn/cuda/token_step.cuh"
#include "nn/cuda/warpgroup_product.cuh"

using namespace prismvid::cuda;

namespace {

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

template <typename T>
T* take(size_t count) {
  void* data = nullptr;
  check(cudaMalloc(&data, count * sizeof(T)), "memory");
  check(cudaMemset(data, 0, count * sizeof(T)), "clear");
  return static_cast<T*>(data);
}

__device__ uint32_t mix(uint64_t x) {
  x ^= x >> 33, x *= 0xff51afd7ed558ccdull, x ^= x >> 33, x *= 0xc4ceb9fe1a85ec53ull;
  return static_cast<uint32_t>(x >> 32);
}
__global__ void fill_words(uint32_t* to, size_t count, uint64_t seed) {
  for (size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x; i < count;
       i += size_t(gridDim.x) * blockDim.x)
    to[i] = mix(i + (seed << 40));
}
// Sums of uniform numbers: near enough to normal.
__global__ void fill_values(bf16* to, size_t count, float middle, float size, uint64_t seed) {
  for (size_t i = blockIdx.x * size_t(blockDim.x) + threadIdx.x; i < count;
       i += size_t(gridDim.x) * blockDim.x) {
    float sum = -2;
    for (int j = 0; j < 4; ++j) sum += mix(i * 4 + j + (seed << 40)) * 0x1p-32f;
    to[i] = __float2bfloat16(middle + sum * 1.73f * size);
  }
}

struct Matrix {
  ProductMatrix data;
  int bits, group, rows, columns;
  size_t bytes() const {
    return size_t(rows) * columns / 8 * bits + (bits < 16 ? size_t(rows) * columns / group * 4 : 0);
  }
};

uint64_t next_seed = 1;
Matrix random_matrix(int bits, int group, int rows, int columns) {
  Matrix m{{}, bits, group, rows, columns};
  const size_t words = size_t(rows) * columns / 32 * bits, groups = size_t(rows) * columns / group;
  uint32_t* weight = take<uint32_t>(words);
  if (bits == 16) {
    fill_values<<<1024, 256>>>(reinterpret_cast<bf16*>(weight), words * 2, 0, 0.02f, next_seed++);
  } else {
    fill_words<<<1024, 256>>>(weight, words, next_seed++);
    bf16 *scales = take<bf16>(groups), *biases = take<bf16>(groups);
    const float step = 0.07f / (1 << bits);
    fill_values<<<1024, 256>>>(scales, groups, step, step / 8, next_seed++);
    fill_values<<<1024, 256>>>(biases, groups, -0.035f, 0.004f, next_seed++);
    m.data.scales = scales, m.data.biases = biases;
  }
  m.data.weight = weight;
  return m;
}

// In float64; x as bf16, RMS-normalised first where there is a norm. Grid: (rows, tokens).
__global__ void reference(ProductArguments a, int bits, double* y) {
  __shared__ double sums[2][256], squares[256];
  const int halves = a.join == Join::kGated ? 2 : 1;
  double sum[2] = {}, square = 0;
  for (int half = 0; half < halves; ++half) {
    int index = half, row = blockIdx.x;
    if (halves == 1)
      index = (row >= a.first_row[1]) + (row >= a.first_row[2]), row -= a.first_row[index];
    const ProductMatrix& m = a.matrices[index];
    const uint32_t* words = m.weight + size_t(row) * a.columns / 32 * bits;
    for (int i = threadIdx.x; i < a.columns; i += 256) {
      double x = __bfloat162float(a.x[size_t(blockIdx.y) * a.columns + i]);
      if (half == 0) square += x * x;
      if (a.norm) x *= __bfloat162float(a.norm[i]);
      const size_t group = size_t(row) * (a.columns / a.group) + i / a.group;
      const double w =
          bits == 16 ? __bfloat162float(reinterpret_cast<const bf16*>(words)[i])
                     : packed_value(words, i, bits) * double(__bfloat162float(m.scales[group])) +
                           double(__bfloat162float(m.biases[group]));
      sum[half] += w * x;
    }
  }
  sums[0][threadIdx.x] = sum[0], sums[1][threadIdx.x] = sum[1], squares[threadIdx.x] = square;
  __syncthreads();
  if (threadIdx.x != 0) return;
  sum[0] = sum[1] = square = 0;
  for (int i = 0; i < 256; ++i) sum[0] += sums[0][i], sum[1] += sums[1][i], square += squares[i];
  const double length = a.norm ? 1 / sqrt(square / a.columns + a.epsilon) : 1;
  double result = sum[0] * length;
  if (halves == 2) result = result / (1 + exp(-result)) * (sum[1] * length);
  if (a.residual) result += __bfloat162float(a.residual[blockIdx.x]);
  y[size_t(blockIdx.y) * a.rows + blockIdx.x] = result;
}

template <class Shape>
__global__ void __launch_bounds__(256)
    few_product(const __grid_constant__ ProductArguments arguments) {
  extern __shared__ __align__(128) char shared[];
  Product<Shape>(arguments, shared).run();
}
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    token_product(const __grid_constant__ ProductArguments arguments) {
  extern __shared__ __align__(128) char shared[];
  multiply_token<Shape>(arguments, shared);
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    step_kernel(const __grid_constant__ StepArguments arguments) {
  extern __shared__ __align__(128) char shared[];
  run_step<Shape>(arguments, shared);
}

int carveout = 100;

template <typename Arguments>
void launch(void (*kernel)(Arguments), dim3 grid, int threads, size_t shared,
            const Arguments& arguments, cudaStream_t stream) {
  // One division of the memory for all kernels: to change it, a multiprocessor must run empty.
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, carveout),
        "carveout");
  if (shared > 48 << 10)
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)),
          "shared memory");
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = grid, config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared, config.stream = stream;
  config.attrs = &overlap, config.numAttrs = 1;
  check(cudaLaunchKernelEx(&config, kernel, arguments), "launch");
}

// Workspaces of the kernels for many tokens.
struct Workspace {
  char* arranged = take<char>(64 * 12288 * 2);
  float *sums = take<float>(64 * 12288 / 32), *partial = take<float>(size_t(16) * 64 * 24576);
  uint32_t* arrived = take<uint32_t>(4096);
};
Workspace& workspace() {
  static Workspace w;
  return w;
}

using Kernel = void (*)(const ProductArguments&, cudaStream_t);
constexpr int kMultiprocessors = 132;

template <class Shape>
__global__ void make_tiles(const __grid_constant__ ProductArguments a, uint32_t* out) {
  arrange_tiles<Shape>(a, out);
}

// The tiles of each product, made when it is first started.
std::map<const void*, char*> all_tiles;
template <class Shape>
const char* tiles_of(const ProductArguments& a) {
  char*& tiles = all_tiles[a.matrices[0].weight];
  if (tiles) return tiles;
  const int row_tiles = (a.packed_rows() + 15) / 16;
  tiles = take<char>(size_t(row_tiles) * (a.columns / Shape::kTile) * Shape::kTileBytes);
  make_tiles<Shape><<<row_tiles, 256>>>(a, reinterpret_cast<uint32_t*>(tiles));
  check(cudaDeviceSynchronize(), "tiles");
  return tiles;
}

void free_tiles() {
  for (const auto& [weight, tiles] : all_tiles) cudaFree(tiles);
  all_tiles.clear();
}

template <int Bits, int Unit>
void run_few(const ProductArguments& a, cudaStream_t stream) {
  using Shape = ProductShape<Bits, Unit, 1, 8>;
  const size_t shared = Shape::shared_bytes(1, a.columns);
  const int blocks = (a.packed_rows() + 15) / 16, at_once = int(220 * 1024 / (shared + 1024));
  launch(few_product<Shape>, std::min(blocks, std::min(at_once, 4) * kMultiprocessors), 256, shared,
         a, stream);
}
template <class Shape>
void run_token(const ProductArguments& arguments, cudaStream_t stream) {
  ProductArguments a = arguments;
  a.tiles = tiles_of<Shape>(a);
  launch(token_product<Shape>, std::min((a.packed_rows() + 15) / 16, kMultiprocessors),
         Shape::kThreads, Shape::shared_bytes(a.columns), a, stream);
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    arrange_x(const __grid_constant__ ProductArguments arguments) {
  if constexpr (Shape::kWarpgroups) {
    arrange_for_warpgroups<Shape>(arguments);
  } else {
    __shared__ float lengths[8 * Shape::ColumnTiles];
    Arranger<Shape>(arguments, lengths).run();
  }
}
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads)
    wide_product(const __grid_constant__ ProductArguments arguments) {
  extern __shared__ __align__(128) char shared[];
  if constexpr (Shape::kWarpgroups)
    multiply_by_warpgroups<Shape>(arguments, shared);
  else
    WideProduct<Shape>(arguments, shared).run();
}
template <class Shape>
void run_wide(const ProductArguments& arguments, cudaStream_t stream) {
  ProductArguments a = arguments;
  const Workspace& w = workspace();
  a.arranged = w.arranged, a.arranged_sums = w.sums, a.partial = w.partial, a.arrived = w.arrived;
  const int blocks = (a.packed_rows() + Shape::kBlockRows - 1) / Shape::kBlockRows,
            chunks = a.columns / Shape::kChunk, most = Shape::kWarpgroups ? 1 : 2,
            fewest_chunks = Shape::kWarpgroups ? 2 : 4;
  a.slices = 1;
  launch(arrange_x<Shape>, dim3(chunks, Shape::ColumnTiles), Shape::kThreads, 0, a, stream);
  a.slices = std::clamp(most * kMultiprocessors / blocks, 1, std::max(1, chunks / fewest_chunks));
  launch(wide_product<Shape>, dim3(blocks, a.slices), Shape::kThreads, Shape::kWideBytes, a,
         stream);
}

using StepKernel = void (*)(const StepArguments&, cudaStream_t);
using Tiles = const char* (*)(const ProductArguments&);
template <class Shape>
void run_step_kernel(const StepArguments& a, cudaStream_t stream) {
  launch(step_kernel<Shape>, kMultiprocessors, Shape::kThreads, step_shared_bytes<Shape>(a.columns),
         a, stream);
}

ProductArguments arguments(const Matrix& m, const bf16* x, void* y) {
  ProductArguments a{};
  a.matrices[0] = m.data;
  a.rows = a.stride = a.first_row[1] = a.first_row[2] = m.rows;
  a.join = Join::kBelow;
  a.group = m.group, a.columns = m.columns;
  a.x = x, a.y = y;
  a.epsilon = 1e-6f;
  a.tokens = a.slices = 1;
  return a;
}

bf16* random_values(size_t count, float middle, float size) {
  bf16* to = take<bf16>(count);
  fill_values<<<64, 256>>>(to, count, middle, size, next_seed++);
  return to;
}

void compare(const char* name, Kernel kernel, const ProductArguments& a, int bits) {
  free_tiles();
  const size_t count = size_t(a.rows) * a.tokens;
  std::vector<double> want(count);
  std::vector<float> got(count);
  double* y = take<double>(count);
  reference<<<dim3(a.rows, a.tokens), 256>>>(a, bits, y);
  check(cudaMemcpy(want.data(), y, count * 8, cudaMemcpyDeviceToHost), "reference");
  check(cudaMemset(a.y, 0xff, count * 4), "poison");
  kernel(a, nullptr);
  check(cudaMemcpy(got.data(), a.y, count * 4, cudaMemcpyDeviceToHost), name);
  double difference = 0, length = 0;
  for (size_t i = 0; i < count; ++i)
    difference += (got[i] - want[i]) * (got[i] - want[i]), length += want[i] * want[i];
  const double error = std::sqrt(difference / length);
  // The kernels for more tokens round what they normalise to bf16.
  const double most = a.norm && a.tokens > 1 ? 4e-3 : 2e-4;
  std::printf("%s %s %d bits, group %d, %d x %d, %d tokens%s: relative error %.1e\n",
              error < most ? "ok  " : "BAD ", name, bits, a.group, a.rows, a.columns, a.tokens,
              a.norm ? ", norm" : "", error);
  cudaFree(y);
}

template <int Bits, int Unit>
void compare_shapes(int group) {
  float* y = take<float>(64 * 16384);
  for (const auto& [rows, columns] :
       {std::pair{100, 768}, {4104, 256}, {300, 9728}, {4096, 4096}}) {
    const bf16* x = random_values(64 * columns, 0, 1);
    Matrix m = random_matrix(Bits, group, rows, columns);
    ProductArguments a = arguments(m, x, y);
    a.float_output = 1;
    if (rows == 4096) a.norm = random_values(columns, 1, 0.1f);
    compare("token", run_token<TokenShape<Bits, Unit>>, a, Bits);
    a.tokens = 31;
    compare("wide", run_wide<ProductShape<Bits, Unit, 4, 1>>, a, Bits);
    compare("wide, warpgroups", run_wide<WarpgroupShape<Bits, Unit, 4>>, a, Bits);
    a.tokens = 64;
    compare("wide, warpgroups", run_wide<WarpgroupShape<Bits, Unit, 8>>, a, Bits);
    if (rows != 300) continue;
    const Matrix second = random_matrix(Bits, group, rows, columns);
    a.tokens = 1;
    a.matrices[1] = second.data;
    a.rows = a.stride = 296, a.join = Join::kGated;
    compare("gated", run_token<TokenShape<Bits, Unit>>, a, Bits);
    a.tokens = 20;
    compare("gated, warpgroups", run_wide<WarpgroupShape<Bits, Unit, 4>>, a, Bits);
  }
}

__global__ void fill_turns(float2* to) {
  to[threadIdx.x] = {cosf(threadIdx.x), sinf(threadIdx.x)};
}

// Attention of one token the plain way, in float32 without rounding on the way. Grid: query heads.
__global__ void plain_attention(AttentionArguments a, float* out) {
  extern __shared__ float scores[];
  __shared__ float query[kHeadDim], key[kHeadDim], sums[kHeadDim];
  const int heads = gridDim.x, head = blockIdx.x / a.rows, d = threadIdx.x, length = a.lengths[0];
  const auto turn = [&](const bf16* from, const bf16* norm, float* to) {
    sums[d] = __bfloat162float(from[d]) * __bfloat162float(from[d]);
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < kHeadDim; ++i) sum += sums[i];
    const float length = rsqrtf(sum / kHeadDim + a.epsilon);
    const auto value = [&](int i) {
      return __bfloat162float(from[i]) * length * __bfloat162float(norm[i]);
    };
    const float2 turned = a.turns[d % 64];
    to[d] = d < 64 ? value(d) * turned.x - value(d + 64) * turned.y
                   : value(d) * turned.x + value(d - 64) * turned.y;
    __syncthreads();
  };
  turn(a.projected + blockIdx.x * kHeadDim, a.query_norm, query);
  turn(a.projected + (heads + head) * kHeadDim, a.key_norm, key);
  const LayerCache cache = a.caches[0];
  const size_t base = size_t(head) * cache.capacity * kHeadDim;
  for (int i = d; i <= length; i += kHeadDim) {
    float score = 0;
    for (int j = 0; j < kHeadDim; ++j)
      score +=
          query[j] * (i == length ? key[j] : __bfloat162float(cache.keys[base + i * kHeadDim + j]));
    scores[i] = expf(score * a.scale);
  }
  __syncthreads();
  float sum = 0, result = 0;
  for (int i = 0; i <= length; ++i) {
    sum += scores[i];
    const bf16 value = i == length ? a.projected[(heads + a.key_heads + head) * kHeadDim + d]
                                   : cache.values[base + i * kHeadDim + d];
    result += scores[i] * __bfloat162float(value);
  }
  out[blockIdx.x * kHeadDim + d] = result / sum;
}

void compare_attention(int length, int splits) {
  constexpr int capacity = 512, heads = 32, key_heads = 8;
  AttentionArguments a{};
  a.projected = random_values((heads + 2 * key_heads) * kHeadDim, 0, 1);
  a.query_norm = random_values(kHeadDim, 1, 0.1f), a.key_norm = random_values(kHeadDim, 1, 0.1f);
  float2* turns = take<float2>(64);
  fill_turns<<<1, 64>>>(turns);
  const size_t count = size_t(key_heads) * capacity * kHeadDim;
  const LayerCache cache{random_values(count, 0, 1), random_values(count, 0, 1), capacity, 0};
  LayerCache* caches = take<LayerCache>(1);
  int* lengths = take<int>(1);
  check(cudaMemcpy(caches, &cache, sizeof(cache), cudaMemcpyHostToDevice), "cache");
  check(cudaMemcpy(lengths, &length, 4, cudaMemcpyHostToDevice), "length");
  a.turns = turns, a.caches = caches, a.lengths = lengths;
  bf16* out = take<bf16>(heads * kHeadDim);
  float* plain = take<float>(heads * kHeadDim);
  a.out = out;
  a.partial = take<float>(key_heads * splits * kMostRows * (kHeadDim + 4));
  a.arrived = take<uint32_t>(key_heads);
  a.key_heads = key_heads, a.rows = heads / key_heads, a.splits = splits;
  a.scale = 0.088f, a.epsilon = 1e-6f;
  plain_attention<<<heads, kHeadDim, (length + 1) * 4>>>(a, plain);
  launch(attention, dim3(key_heads, splits), kAttentionWarps * kWarp,
         attention_shared_bytes(a.rows), a, nullptr);
  std::vector<bf16> got(heads * kHeadDim);
  std::vector<float> want(heads * kHeadDim);
  check(cudaMemcpy(got.data(), out, got.size() * 2, cudaMemcpyDeviceToHost), "attention");
  check(cudaMemcpy(want.data(), plain, want.size() * 4, cudaMemcpyDeviceToHost), "attention");
  double difference = 0, size = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double d = __bfloat162float(got[i]) - want[i];
    difference += d * d, size += double(want[i]) * want[i];
  }
  const double error = std::sqrt(difference / size);
  std::printf("%s attention after %d tokens, %d splits: relative error %.1e\n",
              error < 1e-2 ? "ok  " : "BAD ", length, splits, error);
}

struct Step {  // of a whole model
  int bits, tokens = 1;
  std::vector<Matrix> q, k, v, o, gate, up, down;
  Matrix head, embedding;
  // Of even layers, then of odd ones: the layer's input, queries with keys and values, attention,
  // its sum with the input, the gated products.
  bf16 *activations, *norm, *keys, *values;
  float *logits, *parts, *frequencies;
  float2* greedy_parts;
  uint32_t* arrived;
  int *ids, *positions, *step, *history;
  StepStage* stages;
  float2* turns;
  LayerCache* caches;
  int* lengths;
};
constexpr int kLayers = 36, kCapacity = 512, kActivations = 3 * 4096 + 6144 + 12288;

Step make_step(int bits) {
  Step s{};
  s.bits = bits;
  for (int i = 0; i < kLayers; ++i) {
    s.q.push_back(random_matrix(bits, 64, 4096, 4096));
    s.k.push_back(random_matrix(bits, 64, 1024, 4096));
    s.v.push_back(random_matrix(bits, 64, 1024, 4096));
    s.o.push_back(random_matrix(bits, 64, 4096, 4096));
    s.gate.push_back(random_matrix(bits, 64, 12288, 4096));
    s.up.push_back(random_matrix(bits, 64, 12288, 4096));
    s.down.push_back(random_matrix(bits, 64, 4096, 12288));
  }
  s.head = random_matrix(bits, 64, 151936, 4096);
  s.embedding = random_matrix(bits, 64, 1024, 4096);
  s.activations = random_values(32 * 2 * kActivations, 0, 1);
  s.norm = random_values(12288, 1, 0.1f);
  s.logits = take<float>(32 * 151936);
  s.parts = take<float>(4096 * kMostRows * (kHeadDim + 4));
  s.arrived = take<uint32_t>(65536);
  s.turns = take<float2>(64);
  s.frequencies = take<float>(64);
  s.greedy_parts = take<float2>(kGreedyBlocks);
  s.ids = take<int>(2), s.positions = take<int>(1), s.step = take<int>(1);
  s.history = take<int>(kHistory);
  s.stages = take<StepStage>(256);
  std::vector<LayerCache> caches;
  for (int i = 0; i < kLayers; ++i)
    caches.push_back({random_values(8 * kCapacity * kHeadDim, 0, 1),
                      random_values(8 * kCapacity * kHeadDim, 0, 1), kCapacity, 0});
  s.caches = take<LayerCache>(kLayers);
  cudaMemcpy(s.caches, caches.data(), kLayers * sizeof(LayerCache), cudaMemcpyHostToDevice);
  s.lengths = take<int>(1);
  const int length = 140;
  cudaMemcpy(s.lengths, &length, 4, cudaMemcpyHostToDevice);
  return s;
}

void free_step(Step& s) {
  for (auto* matrices : {&s.q, &s.k, &s.v, &s.o, &s.gate, &s.up, &s.down})
    for (Matrix& m : *matrices) {
      cudaFree(const_cast<uint32_t*>(m.data.weight));
      cudaFree(const_cast<bf16*>(m.data.scales));
      cudaFree(const_cast<bf16*>(m.data.biases));
    }
  cudaFree(const_cast<uint32_t*>(s.head.data.weight));
  free_tiles();
}

enum Part {
  kProjection = 1,
  kAttention = 2,
  kOutput = 4,
  kGate = 8,
  kDown = 16,
  kHead = 32,
  kLayer = 31,
  kEnds = 64,  // the embedding and the pick
};

struct Variant {
  const char* name;
  Kernel kernel;
  StepKernel step = nullptr;  // all layers in one kernel
  Tiles tiles = nullptr;      // for it
};

// The weights' bytes.
size_t enqueue(const Step& s, const Variant& variant, int parts, int splits, cudaStream_t stream,
               std::vector<StepStage>& stages) {
  size_t bytes = 0;
  const size_t known = stages.size();
  const auto multiply = [&](ProductArguments& a, const Matrix& m) {
    bytes += m.bytes() * (a.join == Join::kGated ? 2 : 1);
    a.tokens = s.tokens;
    if (variant.step) {
      a.tiles = variant.tiles(a);
      stages.push_back({a, {}});
      return;
    }
    a.x_tells = a.clear_count = 0;  // the kernel ahead is waited for
    variant.kernel(a, stream);
  };
  if (parts & kEnds) {
    EmbedArguments e{};
    e.weight = s.embedding.data.weight;
    e.scales = s.embedding.data.scales, e.biases = s.embedding.data.biases;
    e.ids = s.ids, e.positions = s.positions, e.frequencies = s.frequencies;
    e.out = s.activations, e.turns = s.turns;
    e.columns = 4096, e.bits = s.bits, e.group = 64, e.turn_count = 64, e.turned_length = 1;
    if (variant.step)
      check(cudaMemsetAsync(s.activations, 0xff, 2 * kActivations * sizeof(bf16), stream), "clear");
    launch(embed, dim3(1), 256, 0, e, stream);
  }
  for (int i = 0; i < kLayers; ++i) {
    bf16 *hidden = s.activations + i % 2 * kActivations * s.tokens,
         *projected = hidden + 4096 * s.tokens, *attended = projected + 6144 * s.tokens,
         *middle = attended + 4096 * s.tokens, *gated = middle + 4096 * s.tokens,
         *next = s.activations + (i + 1) % 2 * kActivations * s.tokens;
    if (parts & kProjection) {
      ProductArguments a = arguments(s.q[i], hidden, projected);
      a.norm = s.norm;
      a.matrices[1] = s.k[i].data, a.matrices[2] = s.v[i].data;
      a.first_row[1] = 4096, a.first_row[2] = 5120;
      a.rows = a.stride = 6144;
      a.x_tells = i > 0;
      if (i > 0) {
        a.clear = reinterpret_cast<uint4*>(s.activations + (i + 1) % 2 * kActivations);
        a.clear_count = kActivations * sizeof(bf16) / sizeof(uint4);
      }
      multiply(a, s.q[i]);
      bytes += 2 * s.k[i].bytes();
    }
    if (parts & kAttention) {
      AttentionArguments a{};
      a.projected = projected, a.query_norm = a.key_norm = s.norm;
      a.turns = s.turns, a.caches = s.caches + i, a.lengths = s.lengths;
      a.out = attended, a.partial = s.parts, a.arrived = s.arrived + 60000;
      a.key_heads = 8, a.rows = 4, a.splits = splits;
      a.scale = 0.088f, a.epsilon = 1e-6f;
      if (variant.step) {
        stages.back().attention = a;
      } else
        launch(attention, dim3(8, splits), kAttentionWarps * kWarp, attention_shared_bytes(a.rows),
               a, stream);
    }
    if (parts & kOutput) {
      ProductArguments a = arguments(s.o[i], attended, middle);
      a.residual = hidden;
      a.x_tells = 1;
      multiply(a, s.o[i]);
    }
    if (parts & kGate) {
      ProductArguments a = arguments(s.gate[i], middle, gated);
      a.matrices[1] = s.up[i].data;
      a.join = Join::kGated, a.norm = s.norm;
      a.x_tells = 1;
      multiply(a, s.gate[i]);
    }
    if (parts & kDown) {
      ProductArguments a = arguments(s.down[i], gated, next);
      a.residual = middle;
      a.x_tells = 1;
      multiply(a, s.down[i]);
    }
  }
  if (parts & kHead) {
    ProductArguments a = arguments(s.head, s.activations + kLayers % 2 * kActivations, s.logits);
    a.norm = s.norm, a.float_output = 1;
    a.x_tells = 1;
    multiply(a, s.head);
  }
  if (variant.step && known > 0)  // now they are on the device
    variant.step({s.stages, int(known), 12288}, stream);
  if (parts & kEnds) {
    GreedyArguments g{};
    g.logits = s.logits, g.partial = s.greedy_parts, g.arrived = s.arrived + 61000;
    g.ids = s.ids + 1, g.positions = s.positions, g.lengths = s.lengths;
    g.history = s.history, g.step = s.step;
    g.vocabulary = 151936;
    launch(pick_greedy, dim3(kGreedyBlocks), kGreedyThreads, 0, g, stream);
  }
  return bytes;
}

void measure(const char* name, const Step& s, const Variant& variant, int parts, int splits = 1) {
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "stream");
  std::vector<StepStage> stages;
  enqueue(s, variant, parts, splits, stream, stages);  // makes tiles
  if (variant.step) {
    cudaMemcpy(s.stages, stages.data(), stages.size() * sizeof(StepStage), cudaMemcpyHostToDevice);
  }
  check(cudaStreamSynchronize(stream), "stages");
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  const size_t bytes = enqueue(s, variant, parts, splits, stream, stages);
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  check(cudaStreamEndCapture(stream, &graph), "capture");
  check(cudaGraphInstantiate(&exec, graph, 0), "graph");
  cudaEvent_t from, to;
  cudaEventCreate(&from), cudaEventCreate(&to);
  constexpr int repeats = 8;
  float best = 1e9;
  for (int round = 0; round < 4; ++round) {
    cudaEventRecord(from, stream);
    for (int i = 0; i < repeats; ++i) cudaGraphLaunch(exec, stream);
    cudaEventRecord(to, stream);
    check(cudaStreamSynchronize(stream), name);
    float ms = 0;
    cudaEventElapsedTime(&ms, from, to);
    best = std::min(best, ms / repeats);
  }
  const int times = parts == kHead ? 1 : kLayers;
  std::printf("%d bits %-24s %8.1f us (%6.2f us each), %.2f TB/s\n", s.bits, name, best * 1e3,
              best * 1e3 / times, bytes / best * 1e-9);
  std::fflush(stdout);
  cudaGraphExecDestroy(exec), cudaGraphDestroy(graph), cudaStreamDestroy(stream);
}

std::vector<float> read_logits(const Step& s) {
  std::vector<float> logits(151936);
  check(cudaMemcpy(logits.data(), s.logits, logits.size() * 4, cudaMemcpyDeviceToHost), "logits");
  return logits;
}

void measure_step(int bits, const std::vector<Variant>& variants, bool parts) {
  Step s = make_step(bits);
  constexpr int all = kLayer | kHead | kEnds;
  std::vector<float> first;
  for (const Variant& v : variants) {
    std::printf("- %s\n", v.name);
    if (parts && !v.step) {
      measure("qkv", s, v, kProjection);
      measure("o", s, v, kOutput);
      measure("gate up", s, v, kGate);
      measure("down", s, v, kDown);
      measure("head", s, v, kHead);
    }
    measure("step", s, v, all);
    const std::vector<float> logits = read_logits(s);
    if (first.empty()) first = logits;
    double difference = 0, size = 0;
    for (size_t i = 0; i < logits.size(); ++i)
      difference += std::pow(logits[i] - first[i], 2.0), size += std::pow(first[i], 2.0);
    std::printf("  logits against the first variant's: %.2e of %.3e\n",
                std::sqrt(difference / size), std::sqrt(size / logits.size()));
    measure("step, 2 splits", s, v, all, 2);
    if (!v.step) measure("without attention", s, v, all & ~kAttention);
  }
  if (parts)
    for (const int splits : {1, 2, 4})
      measure(("attention, splits " + std::to_string(splits)).c_str(), s, variants[0], kAttention,
              splits);
  free_step(s);
}

// The products of 32 tokens.
void measure_many(int bits, const std::vector<Variant>& variants) {
  Step s = make_step(bits);
  s.tokens = 32;
  for (const Variant& v : variants) {
    std::printf("- %s\n", v.name);
    measure("qkv", s, v, kProjection);
    measure("o", s, v, kOutput);
    measure("gate up", s, v, kGate);
    measure("down", s, v, kDown);
    measure("head", s, v, kHead);
    measure("all", s, v, (kLayer & ~kAttention) | kHead);
  }
  free_step(s);
}

// For Nsight Compute: gate and up alone.
template <int Bits>
void profile() {
  const Matrix gate = random_matrix(Bits, 64, 12288, 4096),
               up = random_matrix(Bits, 64, 12288, 4096);
  ProductArguments a = arguments(gate, random_values(4096, 0, 1), take<bf16>(12288));
  a.matrices[1] = up.data;
  a.join = Join::kGated, a.norm = random_values(4096, 1, 0.1f);
  run_token<TokenShape<Bits, 64>>(a, nullptr);
  check(cudaDeviceSynchronize(), "profile");
}

template <int Bits>
std::vector<Variant> variants() {
  const Kernel token = run_token<TokenShape<Bits, 64>>;
  return {{"a kernel a product", token},
          {"one kernel", token, run_step_kernel<StepShape<Bits, 64, false>>,
           tiles_of<TokenShape<Bits, 64>>},
          {"few", run_few<Bits, 64>}};
}

}  // namespace

int main(int argc, char** argv) {
  const int only = argc > 1 ? std::atoi(argv[1]) : 0;
  if (only == 1) {
    profile<4>(), profile<3>(), profile<8>();
    return 0;
  }
  if (!only) {
    for (const int length : {0, 1, 15, 16, 140, 300})
      for (const int splits : {1, 2, 4}) compare_attention(length, splits);
    compare_shapes<2, 64>(64), compare_shapes<3, 64>(64), compare_shapes<4, 64>(64);
    compare_shapes<5, 64>(64), compare_shapes<6, 64>(64), compare_shapes<8, 64>(64);
    compare_shapes<3, 32>(32), compare_shapes<4, 32>(32), compare_shapes<8, 32>(32);
    compare_shapes<4, 64>(128), compare_shapes<5, 32>(32), compare_shapes<16, 64>(64);
  }
  const auto wants = [&](int bits) { return !only || only == bits; };
  if (wants(4)) measure_step(4, variants<4>(), true);
  if (wants(3)) measure_step(3, variants<3>(), true);
  if (wants(8)) measure_step(8, variants<8>(), true);
  if (wants(16))
    measure_step(16,
                 {{"a kernel a product", run_token<TokenShape<16, 64>>}, {"few", run_few<16, 64>}},
                 true);
  if (wants(32))
    measure_many(4, {{"8 warps", run_wide<ProductShape<4, 64, 4, 1>>},
                     {"3 warpgroups", run_wide<WarpgroupShape<4, 64, 4>>}});
}
