#include "media/ffmpeg.h"

#include <spdlog/spdlog.h>

#include <cstdarg>
#include <mutex>
#include <new>

namespace prismvid::media {
namespace {

std::string& thread_error() {
  thread_local std::string text;
  return text;
}

void log_message(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  char line[512];
  int print_prefix = 1;
  av_log_format_line2(context, level, format, arguments, line, sizeof line, &print_prefix);
  std::string text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (level <= AV_LOG_ERROR)
    thread_error() = text.substr(text.find("] ") == std::string::npos ? 0 : text.find("] ") + 2);
  spdlog::debug("ffmpeg: {}", text);
}

}  // namespace

PacketPtr make_packet() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

FramePtr make_av_frame() {
  FramePtr frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

std::string error_text(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return text;
}

void redirect_ffmpeg_log() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(log_message); });
  thread_error().clear();
}

std::string last_ffmpeg_error() {
  return thread_error();
}

}  // namespace prismvid::media
