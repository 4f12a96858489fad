// Inside sources with their own compiler flags.
#pragma once

/// Runs `steps` steps of product(i), an instruction for each of the kProductsOfStep `sums` with %12
/// for `factor`, in one piece, so that no compiler puts copies between them. `kind`: of registers.
#define PRISMVID_RUN_STEPS(steps, sums, kind, product, factor)                              \
  for (long n = 0; n < (steps); ++n)                                                        \
  asm volatile(product(0) product(1) product(2) product(3) product(4) product(5) product(6) \
                   product(7) product(8) product(9) product(10) product(11)                 \
               : "+" kind((sums)[0]), "+" kind((sums)[1]), "+" kind((sums)[2]),             \
                 "+" kind((sums)[3]), "+" kind((sums)[4]), "+" kind((sums)[5]),             \
                 "+" kind((sums)[6]), "+" kind((sums)[7]), "+" kind((sums)[8]),             \
                 "+" kind((sums)[9]), "+" kind((sums)[10]), "+" kind((sums)[11])            \
               : kind(factor)                                                               \
               : "xmm15")

#define PRISMVID_ADD_FLOATS(i) "vfmadd231ps %12, %12, %" #i "\n"
