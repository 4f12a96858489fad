#pragma once

#include <filesystem>
#include <memory>

#include "vision/network/network.h"

namespace prismvid::vision {

/// The recognition network with the best class of each step picked inside it: outputs {1, T, 1}
/// probabilities and {1, T, 1} classes instead of {1, T, `classes`} probabilities, of which a long
/// line has millions. Throws Error(kModel) where the model does not give `classes` probabilities a
/// step.
std::unique_ptr<Network> load_recognition_network(const std::filesystem::path& file, size_t classes,
                                                  const NetworkOptions& options);

}  // namespace prismvid::vision
