#pragma once

// Kernels compiled ahead by nvcc for several devices, as part of the program.
extern "C" {
extern const unsigned char image_step[], image_product_2[], image_product_3[], image_product_4[],
    image_product_5[], image_product_6[], image_product_8[], image_product_16[];
}
