#include "store/lock_holder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace prismvid::store {

namespace {

std::set<unsigned long> inodes_of(const std::filesystem::path& database) {
  std::set<unsigned long> inodes;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    struct stat status {};
    if (::stat((database.string() + suffix).c_str(), &status) == 0) inodes.insert(status.st_ino);
  }
  return inodes;
}

}  // namespace

std::string lock_holder(const std::filesystem::path& database) {
  // Linux lists all locks: "1: POSIX ADVISORY WRITE 1234 08:01:5678 120 120". Elsewhere the file
  // does not exist.
  std::ifstream locks("/proc/locks");
  const auto inodes = inodes_of(database);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields(line);
    std::string number, kind, advisory, mode, where;
    long process = 0;
    fields >> number >> kind >> advisory >> mode >> process >> where;
    if (!fields || mode != "WRITE" || process <= 0 || process == ::getpid()) continue;
    const size_t colon = where.rfind(':');
    if (colon == std::string::npos) continue;
    if (!inodes.contains(std::strtoul(where.c_str() + colon + 1, nullptr, 10))) continue;
    std::string name = "a program";
    std::ifstream comm("/proc/" + std::to_string(process) + "/comm");
    std::getline(comm, name);
    return name + " (process " + std::to_string(process) + ")";
  }
  return "";
}

}  // namespace prismvid::store
