#pragma once

#include <utility>

namespace prismvid::nn::kernels {

/// Calls f<0>() to f<N - 1>(), one behind the other: registers have no index.
template <int N, class F>
[[gnu::always_inline]] inline void each(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f.template operator()<I>(), ...);
  }
  (std::make_integer_sequence<int, N>());
}

}  // namespace prismvid::nn::kernels
