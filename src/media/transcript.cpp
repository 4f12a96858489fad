#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "media/decode_pass.h"
#include "media/subtitle_text.h"
#include "media/subtitles.h"

namespace prismvid::media {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kLargestSidecar = uintmax_t{64} << 20;
constexpr int64_t kUnknownLengthUs = 5000000;  // of a cue that names no end

struct Sidecar {
  fs::path path;
  std::string language;  // empty when the name tells none
};

bool is_language(const std::string& tag) {
  const size_t letters = tag.find_first_of("-_");
  const std::string primary = tag.substr(0, letters);
  return (primary.size() == 2 || primary.size() == 3) &&
         std::all_of(primary.begin(), primary.end(),
                     [](unsigned char c) { return std::isalpha(c); });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// BCP 47 wants the two-letter code where there is one; containers hold ISO 639-2, some of it in its
// older form.
std::string bcp47(const std::string& tag) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"ara", "ar"}, {"bul", "bg"}, {"ces", "cs"}, {"cze", "cs"}, {"chi", "zh"}, {"zho", "zh"},
      {"dan", "da"}, {"deu", "de"}, {"ger", "de"}, {"dut", "nl"}, {"nld", "nl"}, {"ell", "el"},
      {"gre", "el"}, {"eng", "en"}, {"est", "et"}, {"fin", "fi"}, {"fra", "fr"}, {"fre", "fr"},
      {"heb", "he"}, {"hin", "hi"}, {"hrv", "hr"}, {"hun", "hu"}, {"ind", "id"}, {"ita", "it"},
      {"jpn", "ja"}, {"kor", "ko"}, {"lav", "lv"}, {"lit", "lt"}, {"nor", "no"}, {"nob", "nb"},
      {"per", "fa"}, {"fas", "fa"}, {"pol", "pl"}, {"por", "pt"}, {"ron", "ro"}, {"rum", "ro"},
      {"rus", "ru"}, {"slk", "sk"}, {"slo", "sk"}, {"slv", "sl"}, {"spa", "es"}, {"srp", "sr"},
      {"swe", "sv"}, {"tha", "th"}, {"tur", "tr"}, {"ukr", "uk"}, {"vie", "vi"}};
  std::string result = lower(tag);
  std::replace(result.begin(), result.end(), '_', '-');
  const std::string primary = result.substr(0, result.find('-'));
  for (const auto& [three, two] : kShort)
    if (primary == three) return result.replace(0, three.size(), two);
  return result;
}

// "film.srt", "film.en.srt" and "film.en.forced.vtt" belong to "film.mp4"; the language is the
// first part after the name.
std::optional<Sidecar> as_sidecar(const fs::path& file, const std::string& video_stem) {
  const std::string ending = lower(file.extension().string());
  if (ending != ".srt" && ending != ".vtt") return std::nullopt;
  const std::string stem = file.stem().string();
  if (stem == video_stem) return Sidecar{file, ""};
  if (stem.rfind(video_stem + ".", 0) != 0) return std::nullopt;
  const std::string tags = stem.substr(video_stem.size() + 1);
  const std::string first = tags.substr(0, tags.find('.'));
  return Sidecar{file, is_language(first) ? bcp47(first) : ""};
}

// Fewest tags first ("film.srt" before "film.en.srt" before "film.en.forced.srt"), then by name.
std::vector<Sidecar> sidecars_of(const fs::path& video) {
  std::vector<Sidecar> found;
  std::error_code error;
  const fs::path folder = video.has_parent_path() ? video.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (auto sidecar = as_sidecar(entry->path(), video.stem().string()))
      found.push_back(std::move(*sidecar));
  auto rank = [](const Sidecar& s) {
    const std::string name = s.path.filename().string();
    return std::tuple(std::count(name.begin(), name.end(), '.'), name);
  };
  std::sort(found.begin(), found.end(),
            [&](const Sidecar& a, const Sidecar& b) { return rank(a) < rank(b); });
  return found;
}

std::optional<Transcript> read_sidecar(const Sidecar& sidecar) {
  std::error_code error;
  const uintmax_t size = fs::file_size(sidecar.path, error);
  if (error || size > kLargestSidecar) return std::nullopt;
  std::ifstream file(sidecar.path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  Transcript transcript{sidecar.language.empty() ? "und" : sidecar.language,
                        TranscriptOrigin::kSidecar, parse_subtitles(bytes)};
  if (transcript.segments.empty()) return std::nullopt;
  return transcript;
}

bool is_text_track(const AVStream& stream) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(stream.codecpar->codec_id);
  return stream.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE && descriptor != nullptr &&
         (descriptor->props & AV_CODEC_PROP_TEXT_SUB) != 0 &&
         avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
}

AVStream* best_text_track(const AVFormatContext& format) {
  AVStream* best = nullptr;
  auto rank = [](const AVStream& s) {
    return std::tuple((s.disposition & AV_DISPOSITION_FORCED) == 0,
                      (s.disposition & AV_DISPOSITION_DEFAULT) != 0);
  };
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    AVStream& stream = *format.streams[i];
    if (is_text_track(stream) && (best == nullptr || rank(stream) > rank(*best))) best = &stream;
  }
  return best;
}

std::string language_of(const AVStream& stream) {
  const AVDictionaryEntry* language = av_dict_get(stream.metadata, "language", nullptr, 0);
  return language != nullptr && is_language(language->value) ? bcp47(language->value) : "und";
}

// Text of one decoded event. FFmpeg gives ASS events: eight fields before the text.
std::string event_text(const AVSubtitleRect& rect) {
  if (rect.ass == nullptr) return rect.text != nullptr ? plain_cue_text(rect.text) : "";
  std::string_view event = rect.ass;
  for (int field = 0; field < 8; ++field) {
    const size_t comma = event.find(',');
    if (comma == std::string_view::npos) return "";
    event.remove_prefix(comma + 1);
  }
  return plain_cue_text(to_utf8(event));
}

std::string subtitle_text(const AVSubtitle& subtitle) {
  std::string text;
  for (unsigned i = 0; i < subtitle.num_rects; ++i) {
    const std::string line = event_text(*subtitle.rects[i]);
    if (!line.empty()) text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

CodecContextPtr open_subtitle_decoder(const AVStream& stream) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  CodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context || avcodec_parameters_to_context(context.get(), stream.codecpar) < 0) return nullptr;
  context->pkt_timebase = stream.time_base;
  return avcodec_open2(context.get(), codec, nullptr) < 0 ? nullptr : std::move(context);
}

std::optional<TranscriptSegment> decode_segment(AVCodecContext& decoder, AVPacket& packet,
                                                AVRational time_base, int64_t start_us) {
  AVSubtitle subtitle{};
  int complete = 0;
  if (packet.pts == AV_NOPTS_VALUE ||
      avcodec_decode_subtitle2(&decoder, &subtitle, &complete, &packet) < 0 || !complete)
    return std::nullopt;
  const int64_t begin = av_rescale_q(packet.pts, time_base, {1, 1000000}) - start_us;
  const int64_t shown = packet.duration > 0 ? av_rescale_q(packet.duration, time_base, {1, 1000000})
                                            : kUnknownLengthUs;
  std::string text = subtitle_text(subtitle);
  avsubtitle_free(&subtitle);
  if (text.empty() || begin + shown <= 0) return std::nullopt;
  return TranscriptSegment{{std::max<int64_t>(0, begin), begin + shown}, std::move(text), ""};
}

// Where the first presented frame lies on the clock of the container.
int64_t first_frame_us(const fs::path& video) {
  DecodePass pass(video, {.threads = 1});
  const FramePtr first = pass.next();
  if (!first || first->best_effort_timestamp == AV_NOPTS_VALUE) return 0;
  return av_rescale_q(first->best_effort_timestamp, pass.stream().time_base, {1, 1000000});
}

std::optional<Transcript> read_embedded(const fs::path& video) {
  Demuxer demuxer(video);
  AVStream* track = best_text_track(demuxer.format());
  if (track == nullptr) return std::nullopt;
  const CodecContextPtr decoder = open_subtitle_decoder(*track);
  if (!decoder) return std::nullopt;
  demuxer.keep_only([&](const AVStream& stream) { return &stream == track; });
  Transcript transcript{language_of(*track), TranscriptOrigin::kEmbeddedSubtitles, {}};
  const int64_t start_us = first_frame_us(video);
  const PacketPtr packet = make_packet();
  while (demuxer.read(*packet))
    if (auto segment = decode_segment(*decoder, *packet, track->time_base, start_us))
      transcript.segments.push_back(std::move(*segment));
  if (transcript.segments.empty()) return std::nullopt;
  return transcript;
}

}  // namespace

std::optional<Transcript> read_transcript(const fs::path& video) {
  for (const Sidecar& sidecar : sidecars_of(video))
    if (auto transcript = read_sidecar(sidecar)) return transcript;
  return read_embedded(video);
}

std::string sidecar_fingerprint(const fs::path& video) {
  std::string fingerprint;
  for (const Sidecar& sidecar : sidecars_of(video)) {
    std::error_code error;
    const auto written = fs::last_write_time(sidecar.path, error).time_since_epoch().count();
    fingerprint += sidecar.path.filename().string() + "|" + std::to_string(fs::file_size(sidecar.path, error)) + "|" +
                   std::to_string(written) + "\n";
  }
  return fingerprint;
}

}  // namespace prismvid::media
