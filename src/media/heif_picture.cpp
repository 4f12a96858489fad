#include "media/heif_picture.h"

#include <libheif/heif.h>

#include <memory>

#include "core/error.h"
#include "core/image_copy.h"
#include "media/picture_header.h"

namespace prismvid::media {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using ContextPtr = std::unique_ptr<heif_context, Free<heif_context_free>>;
using HandlePtr = std::unique_ptr<heif_image_handle, Free<heif_image_handle_release>>;
using PicturePtr = std::unique_ptr<heif_image, Free<heif_image_release>>;
using OptionsPtr = std::unique_ptr<heif_decoding_options, Free<heif_decoding_options_free>>;

void check_done(const heif_error& error, const std::string& name) {
  check(error.code == heif_error_Ok, ErrorCode::kInvalidArgument, name,
        " is a damaged HEIC or AVIF picture or of a kind that is not read (",
        error.message != nullptr ? error.message : "no reason given",
        "); convert it to PNG or JPEG");
}

}  // namespace

Image decode_heif(std::span<const uint8_t> bytes, const std::string& name) {
  const ContextPtr context(heif_context_alloc());
  check_done(heif_context_read_from_memory_without_copy(context.get(), bytes.data(), bytes.size(),
                                                        nullptr),
             name);
  heif_image_handle* opened = nullptr;
  check_done(heif_context_get_primary_image_handle(context.get(), &opened), name);
  const HandlePtr handle(opened);
  check_picture_size({heif_image_handle_get_width(opened), heif_image_handle_get_height(opened)},
                     name);

  const OptionsPtr options(heif_decoding_options_alloc());
  options->convert_hdr_to_8bit = 1;
  heif_image* decoded = nullptr;
  check_done(heif_decode_image(opened, &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGB,
                               options.get()),
             name);
  const PicturePtr picture(decoded);
  int stride = 0;
  const uint8_t* rows = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  check(rows != nullptr, ErrorCode::kInvalidArgument, name, " holds no colours");
  return copy_of({rows, heif_image_get_width(decoded, heif_channel_interleaved),
                  heif_image_get_height(decoded, heif_channel_interleaved), 3, stride});
}

}  // namespace prismvid::media
