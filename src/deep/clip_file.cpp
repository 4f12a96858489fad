#include "deep/clip_file.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"

namespace prismvid::deep {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "PrismVid clip 1\n";  // then a line of JSON, then the pixels

/// The pictures of a clip, each once, and which of them each frame shows.
struct Pictures {
  std::vector<const Image*> distinct;
  std::vector<size_t> shown;
};

/// A picture that is shown again stands right behind itself.
Pictures pictures_of(const Clip& clip) {
  Pictures pictures;
  for (const auto& frame : clip.frames) {
    if (pictures.distinct.empty() || pictures.distinct.back() != frame.get())
      pictures.distinct.push_back(frame.get());
    pictures.shown.push_back(pictures.distinct.size() - 1);
  }
  return pictures;
}

json header_of(const std::string& name, const Clip& clip, const Pictures& pictures) {
  json sizes = json::array();
  for (const Image* picture : pictures.distinct)
    sizes.push_back({picture->width(), picture->height(), picture->channels()});
  return {{"name", name},
          {"range_us", {clip.range.start_us, clip.range.end_us}},
          {"times_us", clip.times_us},
          {"shown", pictures.shown},
          {"sizes", sizes}};
}

/// Of the header and every pixel.
class ClipHash {
 public:
  explicit ClipHash(const json& header) { hash_.update(header.dump()); }
  void update(const Image& picture) { hash_.update(picture.bytes()); }
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

/// Of a size as the header has it, which may be damaged: no larger than what is left of the file.
Image picture_of(const json& size, uint64_t left) {
  const auto side = [&](size_t i) { return size.at(i).get<uint64_t>(); };
  constexpr uint64_t kMostSide = 1 << 16;
  check(side(0) <= kMostSide && side(1) <= kMostSide && side(2) <= 4 &&
            side(0) * side(1) * side(2) <= left,
        ErrorCode::kUnreadable, "pixels are missing");
  return Image(static_cast<int>(side(0)), static_cast<int>(side(1)), static_cast<int>(side(2)));
}

/// Throws json::exception, Error(kUnreadable).
std::shared_ptr<const Clip> read_behind_magic(std::ifstream& in, const std::string& name,
                                              uint64_t file_bytes) {
  std::string line;
  std::getline(in, line);
  const json told = json::parse(line);
  const json& header = told.at("clip");
  check(header.at("name").get<std::string>() == name, ErrorCode::kUnreadable, "another clip");
  ClipHash hash(header);
  std::vector<std::shared_ptr<const Image>> pictures;
  for (const json& size : header.at("sizes")) {
    Image picture = picture_of(size, file_bytes);
    in.read(reinterpret_cast<char*>(picture.data()),
            static_cast<std::streamsize>(picture.bytes().size()));
    check(in.good(), ErrorCode::kUnreadable, "pixels are missing");
    hash.update(picture);
    pictures.push_back(std::make_shared<const Image>(std::move(picture)));
  }
  check(hash.hex() == told.at("sha256").get<std::string>(), ErrorCode::kUnreadable, "damaged");
  auto clip = std::make_shared<Clip>();
  clip->range = {header.at("range_us").at(0).get<int64_t>(),
                 header.at("range_us").at(1).get<int64_t>()};
  clip->times_us = header.at("times_us").get<std::vector<int64_t>>();
  for (const json& shown : header.at("shown"))
    clip->frames.push_back(pictures.at(shown.get<size_t>()));
  return clip;
}

}  // namespace

uint64_t bytes_of(const Clip& clip) {
  uint64_t bytes = 0;
  for (const Image* picture : pictures_of(clip).distinct) bytes += picture->bytes().size();
  return bytes;
}

void write_clip(const std::filesystem::path& file, const std::string& name, const Clip& clip) {
  const Pictures pictures = pictures_of(clip);
  const json header = header_of(name, clip, pictures);
  ClipHash hash(header);
  for (const Image* picture : pictures.distinct) hash.update(*picture);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << kMagic << json{{"clip", header}, {"sha256", hash.hex()}}.dump() << '\n';
  for (const Image* picture : pictures.distinct)
    out.write(reinterpret_cast<const char*>(picture->data()),
              static_cast<std::streamsize>(picture->bytes().size()));
  out.close();
  check(out.good(), ErrorCode::kUnreadable, "cannot write ", file.string());
}

std::shared_ptr<const Clip> read_clip(const std::filesystem::path& file, const std::string& name) {
  try {
    std::ifstream in(file, std::ios::binary);
    std::string magic(kMagic.size(), '\0');
    in.read(magic.data(), static_cast<std::streamsize>(magic.size()));
    return magic == kMagic ? read_behind_magic(in, name, std::filesystem::file_size(file))
                           : nullptr;
  } catch (const std::exception&) {  // of whatever kind: it is decoded anew
    return nullptr;
  }
}

}  // namespace prismvid::deep
