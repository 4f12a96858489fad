#include "pipeline/probe.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "document/build.h"

namespace prismvid::pipeline {
namespace {

using nlohmann::json;

json encode(const Rational& value) { return {value.numerator, value.denominator}; }

Rational decode_rational(const json& value) { return {value.at(0).get<int64_t>(), value.at(1).get<int64_t>()}; }

json encode(const Size& size) { return {size.width, size.height}; }

Size decode_size(const json& value) { return {value.at(0).get<int>(), value.at(1).get<int>()}; }

json encode(const media::AudioStream& stream) {
  return {{"index", stream.index},
          {"codec", stream.codec},
          {"channels", stream.channels},
          {"sample_rate", stream.sample_rate},
          {"language", stream.language}};
}

media::AudioStream decode_audio(const json& value) {
  return {value.at("index").get<int>(), value.at("codec").get<std::string>(), value.at("channels").get<int>(),
          value.at("sample_rate").get<int>(), value.at("language").get<std::string>()};
}

std::string file_uri(const std::string& path) {
  static constexpr std::string_view kPlain = "/-_.~";
  std::string uri = "file://";
  for (const unsigned char c : path) {
    if (std::isalnum(c) || kPlain.find(static_cast<char>(c)) != std::string_view::npos) {
      uri += static_cast<char>(c);
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof escaped, "%%%02X", c);
      uri += escaped;
    }
  }
  return uri;
}

}  // namespace

std::string encode_probe(const media::VideoInfo& info) {
  json audio = json::array();
  for (const media::AudioStream& stream : info.audio) audio.push_back(encode(stream));
  const json probe = {{"container", info.container},
                      {"codec", info.codec},
                      {"coded_size", encode(info.coded_size)},
                      {"display_size", encode(info.display_size)},
                      {"rotation", info.rotation},
                      {"sample_aspect", encode(info.sample_aspect)},
                      {"frame_rate", encode(info.frame_rate)},
                      {"time_base", encode(info.time_base)},
                      {"start_pts", info.start_pts},
                      {"duration_us", info.duration_us},
                      {"frames", info.frames},
                      {"variable_frame_rate", info.variable_frame_rate},
                      {"audio", audio}};
  return probe.dump(-1, ' ', false, json::error_handler_t::replace);
}

media::VideoInfo decode_probe(const std::string& text) {
  try {
    const json probe = json::parse(text);
    media::VideoInfo info;
    info.container = probe.at("container").get<std::string>();
    info.codec = probe.at("codec").get<std::string>();
    info.coded_size = decode_size(probe.at("coded_size"));
    info.display_size = decode_size(probe.at("display_size"));
    info.rotation = probe.at("rotation").get<int>();
    info.sample_aspect = decode_rational(probe.at("sample_aspect"));
    info.frame_rate = decode_rational(probe.at("frame_rate"));
    info.time_base = decode_rational(probe.at("time_base"));
    info.start_pts = probe.at("start_pts").get<int64_t>();
    info.duration_us = probe.at("duration_us").get<int64_t>();
    info.frames = probe.at("frames").get<int64_t>();
    info.variable_frame_rate = probe.at("variable_frame_rate").get<bool>();
    for (const json& stream : probe.at("audio")) info.audio.push_back(decode_audio(stream));
    return info;
  } catch (const json::exception& problem) {
    fail(ErrorCode::kStore, "the stored description of a video is damaged: ", problem.what());
  }
}

document::Video describe_video(const store::VideoRecord& record, const media::VideoInfo& info) {
  document::Video video;
  video.id = document::video_id(record.sha256);
  video.sha256 = record.sha256;
  video.name = std::filesystem::path(record.path).filename().string();
  video.bytes = record.bytes;
  video.duration_us = info.duration_us;
  video.container = info.container;
  video.source = document::Source{"path", file_uri(record.path)};
  video.picture = {info.codec,          info.display_size.width,   info.display_size.height,
                   info.rotation,       info.sample_aspect,        info.frame_rate,
                   info.variable_frame_rate, info.time_base,       info.start_pts,
                   info.frames};
  for (const media::AudioStream& stream : info.audio)
    video.audio.push_back({stream.index, stream.codec, stream.channels, stream.sample_rate, stream.language});
  return video;
}

}  // namespace prismvid::pipeline
