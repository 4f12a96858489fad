#pragma once

/// prismvid::Error and prismvid::ErrorCode: what every function of the library throws.
#include "core/error.h"
