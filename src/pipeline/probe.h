#pragma once

#include <string>

#include "document/document.h"
#include "media/frame_source.h"
#include "store/store.h"

namespace prismvid::pipeline {

inline constexpr const char* kProbeVersion = "1";

/// What was learnt of a file, as the store keeps it, and back. decode_probe() throws Error(kStore) on damage.
std::string encode_probe(const media::VideoInfo& info);
media::VideoInfo decode_probe(const std::string& json);

/// The document's `video` part.
document::Video describe_video(const store::VideoRecord& record, const media::VideoInfo& info);

}  // namespace prismvid::pipeline
