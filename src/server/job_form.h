#pragma once

#include <memory>
#include <string>

#include "server/uploads.h"

namespace prismvid::server {

/// A multipart request for an analysis: the part `file`, which becomes an upload, and the part
/// `request` with the JSON of what is wanted.
class JobForm : public FormSink {
 public:
  JobForm(Uploads& uploads, std::string owner) : uploads_(uploads), owner_(std::move(owner)) {}
  ~JobForm() override;

  void part(const std::string& name, const std::string& file, uint64_t offset, const char* bytes,
            size_t count) override;
  /// The JSON of the request with the upload as its source. Throws HttpError 400 without a file.
  std::string finish();

 private:
  Uploads& uploads_;
  std::string owner_;
  std::string request_;
  std::string upload_id_;
  std::shared_ptr<BodySink> sink_;
  bool kept_ = false;
};

}  // namespace prismvid::server
