#!/usr/bin/env bash
# Compiles what the CUDA build adds, without a GPU and without MLX's CUDA library: kernels by nvcc to machine code, the
# program's side by its compiler, no further than its syntax. Exit code 77: skipped, there is no nvcc.
#   compile_kernels.sh SOURCE_FOLDER MLX_INCLUDE_FOLDER NVCC CXX
set -euo pipefail
source=$1 mlx=$2 nvcc=$3 cxx=$4
[ -x "$nvcc" ] || { echo "skipped: no nvcc (NVIDIA's CUDA toolkit 13) on this machine"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
compile() {  # to machine code of Hopper: what is left out there is what fails elsewhere
  "$nvcc" -std=c++20 -O1 -cubin -gencode=arch=compute_90a,code=sm_90a -I"$source/src" "${@:2}" -o "$work/$1.cubin"
  test -s "$work/$1.cubin"
}
compile step "$source/src/nn/cuda/step.cu" & step=$!
compile product "$source/src/nn/cuda/product.cu" -DPRISMVID_BITS=3
wait $step
for name in attention embed pick_greedy start_sample find_edge draw_sample; do grep -aq "\.text\.$name" "$work/step.cubin" || { echo "no kernel $name"; exit 1; }; done
for name in token_64 token_32 tiles_64 tiles_32 step_64 step_32 wide_step_64 product_64 product_32 wide_64_4 wide_64_8 arrange_64_4 wide_warpgroups_64_4 arrange_warpgroups_64_8 gated_experts_64 gated_experts_32 \
    mixed_experts_64 mixed_experts_32; do
  grep -aq "\.text\.$name" "$work/product.cubin" || { echo "no kernel $name"; exit 1; }
done
for file in nn/cuda/driver nn/cuda/experts nn/cuda/product nn/cuda/token_sampler nn/cuda/weight_tiles nn/cuda/device_array models/qwen3_vl/cuda_layers \
    models/qwen3_vl/cuda_token_step models/qwen3_vl/cuda_decoder; do
  "$cxx" -std=c++20 -fsyntax-only -Wall -Wextra -Werror -Wno-unused-parameter -DPRISMVID_CUDA -I"$source/src" -I"$source/include" -isystem "$mlx" \
    -isystem "$toolkit/include" "$source/src/$file.cpp"
done
echo "compiled"
