#include "document/json.h"
#include "server/json_body.h"
#include "server/parameters.h"
#include "server/service.h"

// Uploads in pieces, which go on where they were cut off.
namespace prismvid::server {
namespace {

constexpr int64_t kMaxRequestBytes = 16 << 10;

document::Json upload_json(const store::UploadRecord& upload, int64_t received) {
  return {{"upload_id", upload.id}, {"name", upload.name}, {"bytes", upload.bytes}, {"received", received}, {"complete", received >= upload.bytes}};
}

Fields upload_headers(const store::UploadRecord& upload, int64_t received) {
  return {{"Upload-Offset", std::to_string(received)}, {"Upload-Length", std::to_string(upload.bytes)}, {"Cache-Control", "no-store"}};
}

Response begin_upload(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"name", "bytes"});
  const auto bytes = integer_key(body, "bytes", 1, INT64_MAX);
  if (!bytes) wrong_key("bytes", "given: the size of the file");
  const auto upload = context.uploads.begin(request.key_id, required_string(body, "name"), *bytes);
  Response response = json_response(upload_json(upload, 0), 201);
  response.headers = upload_headers(upload, 0);
  response.headers.emplace_back("Location", "/v1/uploads/" + upload.id);
  return response;
}

int64_t offset_of(const Request& request) {
  Request asked;
  asked.query = {{"Upload-Offset", request.header("upload-offset")}};
  return integer_parameter(asked, "Upload-Offset", 0, 0, INT64_MAX);
}

BodyPlan plan_piece(Request& request, Context& context) {
  const int64_t offset = offset_of(request);
  const auto upload = context.uploads.find(request.value("id"));
  auto sink = context.uploads.write_at(upload.id, offset);
  return {upload.bytes - offset, std::move(sink)};
}

Response end_piece(Request& request, Context& context) {
  request.plan.sink.reset();  // lets go of the file
  const auto upload = context.uploads.find(request.value("id"));
  return {204, "", upload_headers(upload, context.uploads.received(upload)), ""};
}

Response get_upload(Request& request, Context& context) {
  const auto upload = context.uploads.find(request.value("id"));
  const int64_t received = context.uploads.received(upload);
  Response response = json_response(upload_json(upload, received));
  response.headers = upload_headers(upload, received);
  return response;
}

Response delete_upload(Request& request, Context& context) {
  if (context.uploads.find(request.value("id")).used)
    throw HttpError(409, "upload_used", "this upload is a video's file now: delete the video");
  context.uploads.remove(request.value("id"));
  return {204, "", {}, ""};
}

}  // namespace

void add_upload_routes(Router& router, Context& context) {
  router.add({"POST", "/v1/uploads", Scope::kWrite, "Begins an upload",
              [&](Request& request) { return begin_upload(request, context); }, kMaxRequestBytes, {}, "UploadRequest"});
  router.add({"PATCH", "/v1/uploads/{id}", Scope::kWrite, "Takes the bytes behind Upload-Offset",
              [&](Request& request) { return end_piece(request, context); }, 0, {}, "Bytes",
              [&](Request& request) { return plan_piece(request, context); }});
  router.add({"GET", "/v1/uploads/{id}", Scope::kWrite, "How much of an upload has come",
              [&](Request& request) { return get_upload(request, context); }});
  router.add({"DELETE", "/v1/uploads/{id}", Scope::kWrite, "Drops an upload",
              [&](Request& request) { return delete_upload(request, context); }});
}

}  // namespace prismvid::server
