#!/usr/bin/env bash
# Compiles the CPU kernels and their tests for 64-bit Arm and runs them under qemu-user, on a processor with the matrix product of
# bytes (which has the dot product too), on one with the dot product alone and on one without.
#   on_aarch64.sh SOURCE_FOLDER BUILD_FOLDER      77: a tool is missing
set -euo pipefail
source=$1 build=$2
for tool in aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v $tool >/dev/null || { echo "skipped: $tool is missing (Debian: g++-aarch64-linux-gnu, qemu-user)"; exit 77; }
done
[ -d /usr/src/googletest ] || { echo "skipped: /usr/src/googletest is missing (Debian: googletest)"; exit 77; }
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPRISMVID_KERNELS_ONLY=ON \
  --toolchain "$source/cmake/aarch64-linux-gnu.cmake" >"$build.log" || { cat "$build.log"; exit 1; }
cmake --build "$build" -j2 --target kernels_test >"$build.log" || { cat "$build.log"; exit 1; }
emulated() { qemu-aarch64 -cpu "$1" -L /usr/aarch64-linux-gnu "$build/kernels_test" "${@:2}"; }
tests=$(emulated max --gtest_list_tests)
[[ $tests == *neon_i8mm* ]] || { echo "no test runs on the NEON levels"; exit 1; }
emulated max --gtest_brief=1 --gtest_filter='*neon*:Isa*'  # the plain level is the same code as elsewhere
emulated neoverse-n1 --gtest_brief=1 --gtest_filter='Isa*:*Quantized*neon*'
emulated cortex-a53 --gtest_brief=1 --gtest_filter='Isa*'
