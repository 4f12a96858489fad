#include "nn/cuda/experts.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "nn/cuda/product.h"

namespace prismvid::cuda {
namespace {

struct Shape {
  int warps;
  size_t shared_bytes;
};

template <int Bits, int Unit>
Shape shape_for(ExpertPart part, int all_columns) {
  if (part == ExpertPart::kGated) {
    using Gated = ExpertShape<Bits, Unit, ExpertPart::kGated>;
    return {Gated::kWarps, Gated::shared_bytes(all_columns)};
  }
  using Mixed = ExpertShape<Bits, Unit, ExpertPart::kMixed>;
  return {Mixed::kWarps, Mixed::shared_bytes(all_columns)};
}

template <int Bits>
Shape shape_for(int unit, ExpertPart part, int all_columns) {
  return unit == 32 ? shape_for<Bits, 32>(part, all_columns)
                    : shape_for<Bits, 64>(part, all_columns);
}

Shape shape_for(int bits, int unit, ExpertPart part, int all_columns) {
  switch (bits) {
    case 2:
      return shape_for<2>(unit, part, all_columns);
    case 3:
      return shape_for<3>(unit, part, all_columns);
    case 4:
      return shape_for<4>(unit, part, all_columns);
    case 5:
      return shape_for<5>(unit, part, all_columns);
    case 6:
      return shape_for<6>(unit, part, all_columns);
    default:
      return shape_for<8>(unit, part, all_columns);
  }
}

int unit_of(int group) {
  return group == 32 ? 32 : 64;
}

}  // namespace

bool has_experts(const ExpertPacking& p) {
  if (p.bits >= 16 || !has_product(p.bits, p.group, p.width) ||
      !has_product(p.bits, p.group, p.inner))
    return false;
  if (p.experts > kMostExperts || p.chosen < 1 || p.chosen > std::min(p.experts, kMostChosen))
    return false;
  const size_t room = Kernels::instance().most_shared_bytes();
  const int unit = unit_of(p.group);
  return shape_for(p.bits, unit, ExpertPart::kGated, p.width).shared_bytes <= room &&
         shape_for(p.bits, unit, ExpertPart::kMixed, p.chosen * p.inner).shared_bytes <= room;
}

void multiply_experts(ExpertPart part, int bits, const ExpertArguments& a, int tokens,
                      CUstream stream) {
  const Kernels& kernels = Kernels::instance();
  const int unit = unit_of(a.group);
  const Shape shape = shape_for(bits, unit, part, a.all_columns(part));
  const CUfunction function =
      kernels.product(bits, (part == ExpertPart::kGated ? "gated_experts_" : "mixed_experts_") +
                                std::to_string(unit));
  Kernels::prefer_shared_memory(function);
  const int at_once = kernels.blocks_at_once(function, static_cast<unsigned>(shape.warps * kWarp),
                                             shape.shared_bytes);
  check(at_once > 0, ErrorCode::kUnavailable, "CUDA: no room for the kernel of experts");
  // One token: a block on each multiprocessor. Many: as many blocks as run at a time.
  const int wanted = tokens == 1 ? kernels.multiprocessors()
                                 : std::max(1, kernels.multiprocessors() * at_once / tokens);
  const int blocks = std::min(wanted, (a.tasks(part) + shape.warps - 1) / shape.warps);
  launch({function,
          {static_cast<unsigned>(blocks), static_cast<unsigned>(tokens), 1},
          static_cast<unsigned>(shape.warps * kWarp),
          static_cast<unsigned>(shape.shared_bytes)},
         a, stream);
}

}  // namespace prismvid::cuda
