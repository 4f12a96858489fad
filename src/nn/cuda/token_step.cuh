#pragma once
// All layers of a step of one token in one kernel, a block on each multiprocessor: what a block has
// to wait for between products is then only the other blocks' results, and its copies of weights
// never stop. Some blocks attend.
#include "attention_part.cuh"
#include "token_products.cuh"

namespace prismvid::cuda {

template <class Shape>
class StepSource {
  using Shared = StepShared<Shape>;

 public:
  __device__ StepSource(const StepArguments& arguments, Shared& shared)
      : a_(arguments), shared_(shared) {
    for (int i = 0; i < Shared::kAhead; ++i) load(i);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
  }
  __device__ int count() const { return a_.count; }
  __device__ const ProductArguments& product(int i) const { return stage(i).product; }
  __device__ void begin(int i) const {
    load(i + Shared::kAhead);
    if (!attends(i)) return;
    part(i).prefetch();
    commit_copies();  // one more, so that who waits for a tile of weights waits for no less
  }
  __device__ void end(int i, bool copies_are_oldest) const {
    if (!attends(i)) return;
    if (copies_are_oldest)
      wait_for_copies<Shape::kStages - 1>();
    else
      wait_for_copies<0>();
    part(i).run();
  }

 private:
  __device__ const StepStage& stage(int i) const { return shared_.stages[i % Shared::kStages]; }
  // The last blocks, which have fewest rows, attend.
  __device__ int index() const { return static_cast<int>(gridDim.x - 1 - blockIdx.x); }
  __device__ bool attends(int i) const {
    const AttentionArguments& a = stage(i).attention;
    return index() < a.key_heads * a.splits;
  }
  __device__ AttentionPart part(int i) const {
    const AttentionArguments& a = stage(i).attention;
    return {a, index() % a.key_heads, index() / a.key_heads, 0, shared_.keys, shared_.turned};
  }
  __device__ void load(int i) const {
    constexpr int pieces = sizeof(StepStage) / 16;
    static_assert(sizeof(StepStage) % 16 == 0 && pieces <= kWarp);
    if (i >= a_.count || threadIdx.x >= pieces) return;
    const uint32_t to = shared_address(&shared_.stages[i % Shared::kStages]);
    copy_async<16>(to + threadIdx.x * 16,
                   reinterpret_cast<const char*>(a_.stages + i) + threadIdx.x * 16);
  }

  const StepArguments& a_;
  Shared& shared_;
};

template <class Shape>
__device__ void run_step(const StepArguments& arguments, char* shared) {
  let_next_kernel_start();
  using Shared = StepShared<Shape>;
  StepSource<Shape> source(arguments, *reinterpret_cast<Shared*>(shared));
  TokenProducts<Shape, StepSource<Shape>>(source, arguments.columns, shared + sizeof(Shared)).run();
}

}  // namespace prismvid::cuda
