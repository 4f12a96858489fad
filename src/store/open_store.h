#pragma once

#include <memory>

#include "store/address.h"
#include "store/job_store.h"
#include "store/library_view.h"
#include "store/service_store.h"
#include "store/store.h"

namespace prismvid::store {

struct StoreOptions {
  int busy_timeout_ms =
      10'000;             // how long to wait for others that write, or a server that restarts
  int64_t max_bytes = 0;  // SQLite: refuse to grow beyond; 0: no limit
};

/// Opens the library, or makes it, in SQLite with its folder. Throws Error(kStore) when it is
/// damaged, not PrismVid's, made by a newer PrismVid, locked for too long, or its folder cannot be
/// written; of PostgreSQL when there is no server, database or right, or the server is too old.
std::unique_ptr<Store> open_store(const Address& address, const StoreOptions& options = {});

// Further connections to a library, which must be there: open_store() makes it. Throw
// Error(kStore).
std::unique_ptr<JobStore> open_job_store(const Address& address);
std::unique_ptr<ServiceStore> open_service_store(const Address& address);
std::unique_ptr<LibraryView> open_library_view(const Address& address);

}  // namespace prismvid::store
