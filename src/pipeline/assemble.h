#pragma once

#include "document/document.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// Makes the document of an analysis from the stage results that its stages name, with today's people and edits, and
/// checks every rule. The sidecar with every box is stored beside it and named in its artifacts. Throws Error(kInternal) listing the breaches, Error(kStore) on damaged results.
document::Document assemble(store::Store& store, const document::Video& video, const document::Analysis& analysis);

}  // namespace prismvid::pipeline
