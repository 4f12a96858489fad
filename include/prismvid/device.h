#pragma once

namespace prismvid {

/// Where a model runs. kAuto: a GPU where this build and machine have one.
enum class Device { kAuto, kCpu, kCuda, kMetal };
enum class Precision { kAuto, kFloat32, kBfloat16 };  // kAuto: as the checkpoint is stored

}  // namespace prismvid
