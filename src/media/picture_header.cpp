#include "media/picture_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "core/error.h"

namespace prismvid::media {
namespace {

// Numbers in either byte order; reads outside of the bytes are 0.
struct Reader {
  std::span<const uint8_t> bytes;
  bool big_endian = true;

  uint64_t number(size_t at, size_t length) const {
    if (at > bytes.size() || length > bytes.size() - at) return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < length; ++i)
      value = value << 8 | bytes[at + (big_endian ? i : length - 1 - i)];
    return value;
  }

  bool holds(size_t at, std::string_view text) const {
    return at <= bytes.size() && text.size() <= bytes.size() - at &&
           std::equal(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
  }

  Reader from(size_t at, size_t length) const {
    at = std::min(at, bytes.size());
    return {bytes.subspan(at, std::min(length, bytes.size() - at)), big_endian};
  }
};

Size size_of(uint64_t width, uint64_t height) {
  constexpr uint64_t kMost = std::numeric_limits<int>::max();
  return {static_cast<int>(std::min(width, kMost)), static_cast<int>(std::min(height, kMost))};
}

// A TIFF file, or the body of an EXIF segment, which has the same form.
struct TiffFacts {
  Size size;
  int orientation = 1;
};

TiffFacts read_tiff(std::span<const uint8_t> bytes) {
  const Reader in{bytes, !bytes.empty() && bytes[0] == 'M'};
  TiffFacts facts;
  uint64_t width = 0, height = 0;
  const uint64_t directory = in.number(4, 4);
  const uint64_t entries = directory > 0 ? in.number(directory, 2) : 0;
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes.size()) break;
    const size_t length = in.number(entry + 2, 2) == 3 ? 2 : 4;  // SHORT or LONG
    const uint64_t value = in.number(entry + 8, length);
    switch (in.number(entry, 2)) {
      case 0x0100:
        width = value;
        break;
      case 0x0101:
        height = value;
        break;
      case 0x0112:
        facts.orientation = value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
        break;
      default:
        break;
    }
  }
  facts.size = size_of(width, height);
  return facts;
}

int exif_orientation(std::span<const uint8_t> bytes) {
  const bool tiff = bytes.size() >= 8 && (bytes[0] == 'I' || bytes[0] == 'M');
  return tiff ? read_tiff(bytes).orientation : 1;
}

PictureHeader read_jpeg(const Reader& in) {
  PictureHeader header{PictureFormat::kJpeg, {}, 1, 3};
  for (size_t at = 2; at + 4 <= in.bytes.size() && in.bytes[at] == 0xFF;) {
    const uint64_t marker = in.bytes[at + 1];
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    const uint64_t length = in.number(at + 2, 2);
    if (marker == 0xDA || length < 2) break;
    const bool frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      header.size = size_of(in.number(at + 7, 2), in.number(at + 5, 2));
      header.components = static_cast<int>(in.number(at + 9, 1));
      break;
    }
    if (marker == 0xE1 && in.holds(at + 4, std::string_view("Exif\0\0", 6)))
      header.orientation = exif_orientation(in.from(at + 10, length - 8).bytes);
    at += 2 + length;
  }
  return header;
}

PictureHeader read_png(const Reader& in) {
  PictureHeader header{PictureFormat::kPng, size_of(in.number(16, 4), in.number(20, 4)), 1, 3};
  for (size_t at = 8; at + 12 <= in.bytes.size();) {
    const uint64_t length = in.number(at, 4);
    if (in.holds(at + 4, "eXIf"))
      header.orientation = exif_orientation(in.from(at + 8, length).bytes);
    at += 12 + length;
  }
  return header;
}

PictureHeader read_bmp(Reader in) {
  in.big_endian = false;
  if (in.number(14, 4) == 12)
    return {PictureFormat::kBmp, size_of(in.number(18, 2), in.number(20, 2)), 1, 3};
  const auto height = static_cast<int32_t>(in.number(22, 4));  // below 0: the top row comes first
  return {PictureFormat::kBmp,
          size_of(in.number(18, 4), static_cast<uint64_t>(std::abs(int64_t{height}))), 1, 3};
}

PictureHeader read_webp(Reader in) {
  in.big_endian = false;
  PictureHeader header{PictureFormat::kWebp, {}, 1, 3};
  for (size_t at = 12; at + 8 <= in.bytes.size();) {
    const uint64_t length = in.number(at + 4, 4);
    const size_t data = at + 8;
    const bool first = header.size == Size{};
    if (in.holds(at, "VP8X") && first) {
      header.size = size_of(in.number(data + 4, 3) + 1, in.number(data + 7, 3) + 1);
    } else if (in.holds(at, "VP8L") && first) {
      const uint64_t bits = in.number(data + 1, 4);
      header.size = size_of((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
    } else if (in.holds(at, "VP8 ") && first) {
      header.size = size_of(in.number(data + 6, 2) & 0x3FFF, in.number(data + 8, 2) & 0x3FFF);
    } else if (in.holds(at, "EXIF")) {
      const size_t skip = in.holds(data, std::string_view("Exif\0\0", 6)) ? 6 : 0;
      if (length >= skip)
        header.orientation = exif_orientation(in.from(data + skip, length - skip).bytes);
    }
    at = data + length + length % 2;
  }
  return header;
}

// Calls take(where the type stands, body) for each box at this level.
template <typename Take>
void each_box(const Reader& in, size_t skip, const Take& take) {
  for (size_t at = skip; at + 8 <= in.bytes.size();) {
    const uint64_t length = in.number(at, 4);
    const uint64_t whole = length == 0 ? in.bytes.size() - at : length;
    if (whole < 8) break;
    take(at + 4, in.from(at + 8, whole - 8));
    at += whole;
  }
}

// HEIC, AVIF and their sequences. The largest of the sizes: a picture of tiles tells those too.
PictureHeader read_heif(const Reader& in) {
  PictureHeader header{PictureFormat::kHeif, {}, 1, 3};
  const auto read_properties = [&](const Reader& ipco) {
    each_box(ipco, 0, [&](size_t type, const Reader& body) {
      if (!ipco.holds(type, "ispe")) return;
      const Size size = size_of(body.number(4, 4), body.number(8, 4));
      if (int64_t{size.width} * size.height > int64_t{header.size.width} * header.size.height)
        header.size = size;
    });
  };
  each_box(in, 0, [&](size_t type, const Reader& meta) {
    if (!in.holds(type, "meta")) return;
    each_box(meta, 4, [&](size_t inner, const Reader& iprp) {
      if (!meta.holds(inner, "iprp")) return;
      each_box(iprp, 0, [&](size_t innermost, const Reader& ipco) {
        if (iprp.holds(innermost, "ipco")) read_properties(ipco);
      });
    });
  });
  return header;
}

bool is_heif(const Reader& in) {
  if (!in.holds(4, "ftyp")) return false;
  static constexpr std::array<std::string_view, 11> kBrands{
      "avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1"};
  return std::any_of(kBrands.begin(), kBrands.end(),
                     [&](auto brand) { return in.holds(8, brand); });
}

std::optional<PictureHeader> read_known(const Reader& in) {
  if (in.holds(0, "\xFF\xD8\xFF")) return read_jpeg(in);
  if (in.holds(0, "\x89PNG\r\n\x1A\n")) return read_png(in);
  if (in.holds(0, "BM")) return read_bmp(in);
  if (in.holds(0, "RIFF") && in.holds(8, "WEBP")) return read_webp(in);
  if (is_heif(in)) return read_heif(in);
  if (in.holds(0, "GIF87a") || in.holds(0, "GIF89a")) {
    const Reader little{in.bytes, false};
    return PictureHeader{PictureFormat::kGif, size_of(little.number(6, 2), little.number(8, 2)), 1,
                         3};
  }
  if (in.holds(0, std::string_view("II*\0", 4)) || in.holds(0, std::string_view("MM\0*", 4))) {
    const TiffFacts facts = read_tiff(in.bytes);
    return PictureHeader{PictureFormat::kTiff, facts.size, facts.orientation, 3};
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(PictureFormat format) {
  static constexpr std::array<const char*, 7> kNames{"JPEG", "PNG",  "GIF", "BMP",
                                                     "TIFF", "WebP", "HEIF"};
  return kNames[static_cast<size_t>(format)];
}

std::optional<PictureHeader> read_picture_header(std::span<const uint8_t> bytes) {
  auto header = read_known({bytes, true});
  if (header && (header->size.width <= 0 || header->size.height <= 0)) return std::nullopt;
  return header;
}

void check_picture_size(Size size, const std::string& name) {
  check(int64_t{size.width} * size.height <= kLargestPicture, ErrorCode::kInvalidArgument, name,
        " has ", size.width, " by ", size.height, " pixels; at most ", kLargestPicture / 1'000'000,
        " million are read");
}

}  // namespace prismvid::media
