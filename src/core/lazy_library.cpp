#include "core/lazy_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kCannotStart = 127;  // what the dynamic linker exits with

[[noreturn]] void give_up() {
  std::fprintf(stderr, "prismvid: %s\n", dlerror());
  std::_Exit(kCannotStart);
}

/// Opening a library again gives the same handle, so threads that are here together do no harm.
void* loaded(prismvid::LazyLibrary& library) {
  if (void* handle = library.handle.load(std::memory_order_acquire)) return handle;
  void* handle = dlopen(library.soname, RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) give_up();
  library.handle.store(handle, std::memory_order_release);
  return handle;
}

}  // namespace

void* prismvid_fill_lazy_slot(prismvid::LazySlot* slot) {
  void* address = dlsym(loaded(*slot->library), slot->name);
  if (address == nullptr) give_up();
  slot->address.store(address, std::memory_order_release);
  return address;
}
