#include "deep/parts.h"

#include <algorithm>
#include <future>

#include "core/error.h"
#include "core/jpeg.h"
#include "core/sha256.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Json;

constexpr size_t kPartsTogether = 4;       // whose frames are in memory at once
constexpr const char* kPartVersion = "2";  // raise it when a part may be answered otherwise

/// The sharpest keyframes of a range, in order of time.
std::vector<const document::DocumentKeyframe*> keyframes_of(const Work& work,
                                                            const TimeRange& range) {
  std::vector<const document::DocumentKeyframe*> keyframes;
  for (const document::DocumentShot& shot : work.known.shots)
    for (const document::DocumentKeyframe& keyframe : shot.keyframes)
      if (range.contains(keyframe.t_us)) keyframes.push_back(&keyframe);
  const auto most = static_cast<size_t>(work.model.feeding().keyframes);
  std::stable_sort(keyframes.begin(), keyframes.end(),
                   [](const auto* a, const auto* b) { return a->score > b->score; });
  if (keyframes.size() > most) keyframes.resize(most);
  std::sort(keyframes.begin(), keyframes.end(),
            [](const auto* a, const auto* b) { return a->t_us < b->t_us; });
  return keyframes;
}

void add_keyframes(const Work& work, const TimeRange& range, Request& request) {
  for (const document::DocumentKeyframe* keyframe : keyframes_of(work, range)) {
    const auto jpeg = work.picture(keyframe->image);
    if (!jpeg) continue;
    request.pictures.push_back(
        std::make_shared<const Image>(work.model.resized(decode_jpeg(*jpeg), 0)));
  }
}

Json feeding_json(const Feeding& feeding) {
  return {feeding.frames_per_second, feeding.window_us, feeding.frame_tokens, feeding.keyframes,
          feeding.keyframe_tokens};
}

/// Everything the reply depends on, as a key.
std::string part_key(const Work& work, const Prompt& prompt, const Part& part,
                     const Request& request) {
  const document::StageModel& model = work.model.card();
  Json input = {kPartVersion,  model.sha256,   model.backend,
                prompt.sha256, request.prompt, part.max_tokens};
  for (const Turn& turn : part.history) input.push_back({turn.question, turn.answer});
  if (part.looks) {
    input.push_back(work.known.video.sha256);
    input.push_back({part.range.start_us, part.range.end_us});
    input.push_back(feeding_json(work.model.feeding()));
  }
  return sha256_hex(document::to_text(input));
}

std::string encode_part(const Checked& reply, const Clip& shown) {
  return document::to_text({{"value", reply.value},
                            {"tokens_in", reply.tokens_in},
                            {"tokens_out", reply.tokens_out},
                            {"times_us", shown.times_us}});
}

/// A kept part; nullopt where it is damaged, which only means to ask again.
std::optional<std::pair<Checked, Clip>> decode_part(const std::string& text, const Part& part) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("value")) return std::nullopt;
  Checked reply{json["value"], "", json.value("tokens_in", int64_t{0}),
                json.value("tokens_out", int64_t{0})};
  return std::pair{std::move(reply),
                   Clip{part.range, {}, json.value("times_us", std::vector<int64_t>())}};
}

/// Decodes one clip ahead on a thread of its own.
class ReadAhead {
 public:
  explicit ReadAhead(const Work& work) : work_(work) {}

  void start(const TimeRange& range) {
    range_ = range;
    clip_ = std::async(std::launch::async, [this, range] {
      return read_clip(work_.video, range, work_.model, work_.stop);
    });
  }

  std::shared_ptr<const Clip> get(const TimeRange& range) {
    if (clip_.valid() && range_ == range) return clip_.get();
    return read_clip(work_.video, range, work_.model, work_.stop);
  }

 private:
  const Work& work_;
  TimeRange range_;
  std::future<std::shared_ptr<const Clip>> clip_;
};

}  // namespace

void ask_parts(const Work& work, const Prompt& prompt, const std::vector<Part>& parts,
               const std::function<void(size_t, const Checked&, const Clip&)>& take) {
  std::vector<Request> requests;
  std::vector<std::string> keys;
  std::vector<std::optional<std::string>> kept;
  for (const Part& part : parts) {
    requests.push_back(request_of(prompt, part.values, part.max_tokens));
    requests.back().history = part.history;
    requests.back().person_waits = part.person_waits;
    requests.back().on_text = part.on_text;
    keys.push_back(part_key(work, prompt, part, requests.back()));
    kept.push_back(work.parts.find(keys.back()));
  }
  const auto next_to_look = [&](size_t from) {
    while (from < parts.size() && (kept[from] || !parts[from].looks)) ++from;
    return from;
  };
  ReadAhead ahead(work);
  const auto show = [&](size_t i) {
    Clip shown{parts[i].range, {}, {}};
    if (!parts[i].looks) return shown;
    requests[i].clip = ahead.get(parts[i].range);
    add_keyframes(work, parts[i].range, requests[i]);
    shown.times_us = requests[i].clip->times_us;
    if (const size_t next = next_to_look(i + 1); next < parts.size())
      ahead.start(parts[next].range);
    return shown;
  };
  for (size_t i = 0; i < parts.size();) {
    check(!work.stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    const auto part = kept[i] ? decode_part(*kept[i], parts[i]) : std::nullopt;
    if (part) {
      take(i++, part->first, part->second);
      continue;
    }
    std::vector<Clip> shown{show(i)};
    while (shown.size() < kPartsTogether && i + shown.size() < parts.size() &&
           !kept[i + shown.size()])
      shown.push_back(show(i + shown.size()));
    ask_checked(
        work.model, std::span(requests).subspan(i, shown.size()),
        [&](size_t k, const Checked& reply) {
          if (reply.problem.empty()) work.parts.keep(keys[i + k], encode_part(reply, shown[k]));
          requests[i + k].clip.reset();
          take(i + k, reply, shown[k]);
        },
        work.stop);
    i += shown.size();
  }
}

Checked ask_reading(const Work& work, const Prompt& prompt, const PromptValues& values,
                    int max_tokens) {
  Checked reply;
  ask_parts(work, prompt, {{{}, values, false, max_tokens}},
            [&](size_t, const Checked& checked, const Clip&) { reply = checked; });
  return reply;
}

void Losses::add(const std::string& what) {
  const auto found =
      std::find_if(losses_.begin(), losses_.end(), [&](const auto& l) { return l.first == what; });
  if (found == losses_.end())
    losses_.push_back({what, 1});
  else
    ++found->second;
}

int Losses::count() const {
  int count = 0;
  for (const auto& [what, times] : losses_) count += times;
  return count;
}

std::vector<std::string> Losses::warnings(const std::string& stage) const {
  std::vector<std::string> lines;
  for (const auto& [what, count] : losses_)
    lines.push_back(stage + ": left out " + std::to_string(count) + " × " + what);
  return lines;
}

}  // namespace prismvid::deep
