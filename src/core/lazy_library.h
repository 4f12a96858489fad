#pragma once

#include <atomic>

namespace prismvid {

/// A shared library that is loaded when one of its functions is called first. In memory as
/// LAZY_LIBRARY of lazy_functions_x86_64.inc lays it out.
struct LazyLibrary {
  const char* soname;
  std::atomic<void*> handle;
};

/// Where a lazy function jumps to. In memory as LAZY_FUNCTION of lazy_functions_x86_64.inc lays it
/// out.
struct LazySlot {
  std::atomic<void*> address;
  const char* name;
  LazyLibrary* library;
};

}  // namespace prismvid

/// Loads the slot's library where that was not done yet, and gives the function's address, which is
/// in the slot from then on. Any number of threads at a time. Where library or function cannot be
/// had the program ends, as it would have on starting.
extern "C" void* prismvid_fill_lazy_slot(prismvid::LazySlot* slot);
