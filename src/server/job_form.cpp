#include "server/job_form.h"

#include <fstream>

#include "server/json_body.h"

namespace prismvid::server {
namespace {

constexpr size_t kMaxRequestBytes = 256 << 10;

/// How many bytes come is known at the end only.
class GrowingFile : public BodySink {
 public:
  GrowingFile(const std::string& path, int64_t most) : stream_(path, std::ios::binary), left_(most) {}
  void write(const char* bytes, size_t count) override {
    left_ -= static_cast<int64_t>(count);
    if (left_ < 0) throw HttpError(413, "too_large", "the file is too large");
    stream_.write(bytes, static_cast<std::streamsize>(count));
    if (!stream_.flush()) throw HttpError(507, "storage_full", "cannot store the file: is the disk full?");
  }

 private:
  std::ofstream stream_;
  int64_t left_;
};

}  // namespace

JobForm::~JobForm() {
  if (kept_ || upload_id_.empty()) return;
  try {
    uploads_.remove(upload_id_);
  } catch (const Error&) {
    // It expires like any upload that nobody finishes.
  }
}

void JobForm::part(const std::string& name, const std::string& file, uint64_t offset, const char* bytes, size_t count) {
  if (name == "request") {
    if (request_.size() + count > kMaxRequestBytes) throw HttpError(413, "too_large", "the part 'request' is too large");
    request_.append(bytes, count);
    return;
  }
  if (name != "file")
    throw HttpError(400, "invalid_form", "there is no part '" + name + "': send 'file' and, with JSON, 'request'");
  if (offset == 0 && !sink_) {
    const auto upload = uploads_.begin(owner_, file, 0);
    upload_id_ = upload.id;
    sink_ = std::make_shared<GrowingFile>(upload.path, uploads_.most_bytes());
  } else if (offset == 0) {
    throw HttpError(400, "invalid_form", "send one file at a time");
  }
  sink_->write(bytes, count);
}

std::string JobForm::finish() {
  if (!sink_) throw HttpError(400, "invalid_form", "the part 'file' is missing");
  sink_.reset();
  BodyJson body = request_.empty() ? BodyJson::object() : BodyJson::parse(request_, nullptr, false);
  if (!body.is_object()) throw HttpError(400, "invalid_json", "the part 'request' must be a JSON object");
  if (body.contains("source")) throw HttpError(400, "invalid_body", "'source' is the file itself in a multipart request");
  body["source"] = {{"upload_id", upload_id_}};
  kept_ = true;
  return body.dump(-1, ' ', false, BodyJson::error_handler_t::replace);
}

}  // namespace prismvid::server
