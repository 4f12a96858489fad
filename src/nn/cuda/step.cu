// The kernels of a decode step other than its products.
#include "attention.cuh"
#include "sample.cuh"
#include "token.cuh"
