#include "cli/pull_model.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <iterator>

#include "cli/hub_listing.h"
#include "core/error.h"
#include "inference/hub.h"
#include "vision/models/download.h"

namespace prismvid::cli {
namespace {

namespace fs = std::filesystem;
using vision::DownloadOptions;

// huggingface_hub's name for a file that is coming in: each goes on where the other broke off.
constexpr const char* kIncomplete = ".incomplete";

// "a b/c" as "a%20b/c".
std::string url_path(const std::string& path) {
  std::string out;
  for (const unsigned char c : path) {
    const bool plain = std::isalnum(c) != 0 || std::string_view("-._~/").find(static_cast<char>(c)) !=
                                                   std::string_view::npos;
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", c);
    out += plain ? std::string(1, static_cast<char>(c)) : escaped;
  }
  return out;
}

// The lock that huggingface_hub takes for a blob, so that two programs do not write one file.
class BlobLock {
 public:
  BlobLock(const fs::path& hub, const fs::path& repository, const std::string& blob) {
    const fs::path folder = hub / ".locks" / repository.filename();
    fs::create_directories(folder);
    file_ = ::open((folder / (blob + ".lock")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    const bool locked = file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && file_ >= 0) ::close(file_);
    check(locked, ErrorCode::kUnavailable, "another program is downloading ",
          (repository / "blobs" / blob).string(), "; wait for it, or end it and try again");
  }
  ~BlobLock() { ::close(file_); }
  BlobLock(const BlobLock&) = delete;
  BlobLock& operator=(const BlobLock&) = delete;

 private:
  int file_ = -1;
};

[[noreturn]] void explain_refusal(const vision::HttpRefusal& refusal, const std::string& name,
                                  const PullOptions& options) {
  const bool hidden = refusal.status() == 401 || refusal.status() == 404;
  if (hidden && options.token.empty())
    fail(ErrorCode::kNotFound, options.endpoint, " has no public ", name, " at ", options.revision,
         ": check the name, or set HF_TOKEN where it is private or gated");
  if (hidden)
    fail(ErrorCode::kNotFound, options.endpoint, " has no ", name, " at ", options.revision,
         " for the account of HF_TOKEN");
  if (refusal.status() == 403)
    fail(ErrorCode::kUnavailable, "the account of HF_TOKEN may not read ", name,
         ": accept its terms at ", options.endpoint, "/", name);
  throw refusal;
}

/// A file that is not there before and after, however the work in between ends.
struct Passing {
  explicit Passing(fs::path file) : path(std::move(file)) { remove(); }
  ~Passing() { remove(); }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;
  void remove() const {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
  fs::path path;
};

HubListing fetch_listing(const std::string& name, const fs::path& repository,
                         const PullOptions& options) {
  DownloadOptions transfer;
  transfer.stop = options.stop;
  transfer.bearer_token = options.token;
  const fs::path answer = repository / ("listing." + std::to_string(::getpid()) + ".json");
  const Passing whole{answer}, part{answer.string() + transfer.partial_suffix};
  vision::download(options.endpoint + "/api/models/" + url_path(name) + "/revision/" +
                       url_path(options.revision) + "?blobs=true",
                   answer, transfer);
  std::ifstream in(answer, std::ios::binary);
  return parse_hub_listing({std::istreambuf_iterator<char>(in), {}});
}

class Pull {
 public:
  Pull(const std::string& name, const PullOptions& options)
      : name_(name), options_(options), repository_(inference::hub_repository(options.hub, name)) {}

  fs::path run() {
    fs::create_directories(repository_ / "blobs");
    const HubListing listing = fetch_listing(name_, repository_, options_);
    const fs::path snapshot = repository_ / "snapshots" / listing.commit;
    check_disk(listing);
    progress_.files = static_cast<int>(listing.files.size());
    for (const HubFile& file : listing.files) {
      progress_.file = file.name.string();
      ++progress_.file_number;
      fetch(file, listing.commit);
      link(repository_ / "blobs" / file.blob, snapshot / file.name);
      done_before_ += file.bytes;
    }
    if (options_.revision != listing.commit) {
      const fs::path reference = repository_ / "refs" / options_.revision;
      fs::create_directories(reference.parent_path());
      std::ofstream(reference) << listing.commit;
    }
    return snapshot;
  }

 private:
  void check_disk(const HubListing& listing) {
    int64_t missing = 0;
    for (const HubFile& file : listing.files) {
      const fs::path blob = repository_ / "blobs" / file.blob;
      progress_.total += file.bytes;
      std::error_code error;
      const auto begun = fs::file_size(blob.string() + kIncomplete, error);
      if (!fs::exists(blob)) missing += file.bytes - (error ? 0 : static_cast<int64_t>(begun));
    }
    const auto free = static_cast<int64_t>(fs::space(repository_).available);
    check(missing <= free, ErrorCode::kUnavailable, name_, " needs ", missing >> 20, " MB more in ",
          options_.hub.string(), ", where ", free >> 20, " MB are free");
  }

  void fetch(const HubFile& file, const std::string& commit) {
    const fs::path blob = repository_ / "blobs" / file.blob;
    if (fs::exists(blob)) return;
    const BlobLock lock(options_.hub, repository_, file.blob);
    const fs::path incomplete = blob.string() + kIncomplete;
    if (!is_sound(file, incomplete, options_.stop)) {
      DownloadOptions transfer;
      transfer.stop = options_.stop;
      transfer.bearer_token = options_.token;
      transfer.partial_suffix.clear();
      transfer.largest_bytes = file.bytes + 1;
      transfer.progress = [&](int64_t done, int64_t) {
        progress_.done = done_before_ + done;
        if (options_.progress) options_.progress(progress_);
      };
      vision::download(options_.endpoint + "/" + url_path(name_) + "/resolve/" + commit + "/" +
                           url_path(file.name.generic_string()),
                       incomplete, transfer);
    }
    const bool sound = is_sound(file, incomplete, options_.stop);
    if (!sound) fs::remove(incomplete);
    check(sound, ErrorCode::kModel, file.name.string(),
          " came with other bytes than were announced; it was removed, try again");
    fs::rename(incomplete, blob);
  }

  static void link(const fs::path& blob, const fs::path& link) {
    fs::create_directories(link.parent_path());
    fs::remove(link);
    fs::create_symlink(fs::relative(blob, link.parent_path()), link);
  }

  const std::string& name_;
  const PullOptions& options_;
  const fs::path repository_;
  PullProgress progress_;
  int64_t done_before_ = 0;
};

}  // namespace

fs::path pull_model(const std::string& name, const PullOptions& options) {
  const size_t slash = name.find('/');
  check(slash != std::string::npos && slash > 0 && is_inside(name) &&
            name.find('/', slash + 1) == std::string::npos,
        ErrorCode::kInvalidArgument, "\"", name,
        "\" is no name of a model; names are like Qwen/Qwen3-VL-2B-Instruct");
  check(is_inside(options.revision), ErrorCode::kInvalidArgument, "\"", options.revision,
        "\" is no revision; it is a branch, a tag or a commit");
  try {
    return Pull(name, options).run();
  } catch (const vision::HttpRefusal& refusal) {
    explain_refusal(refusal, name, options);
  }
}

}  // namespace prismvid::cli
