#pragma once

/// Before a function whose loops compilers turn into vector instructions: it is compiled for AVX2 as well, and the processor decides
/// when the program starts. Results are the same, since AVX2 without FMA rounds alike.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PRISMVID_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define PRISMVID_VECTOR_CLONES
#endif
