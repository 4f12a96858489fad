#include "deep/parts.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/jpeg.h"
#include "core/sha256.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Json;

constexpr size_t kClipsAhead = 4;
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

struct Seen {
  std::shared_ptr<const Clip> clip;
  std::vector<std::shared_ptr<const Image>> pictures;
};

void add_keyframes(const Work& work, const TimeRange& range, Seen& seen) {
  for (const document::DocumentKeyframe* keyframe : keyframes_of(work, range)) {
    const auto jpeg = work.picture(keyframe->image);
    if (!jpeg) continue;
    seen.pictures.push_back(
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

/// Decodes the clips of ranges in their order, a few ahead of what is asked for, on a thread of its
/// own.
class ReadAhead {
 public:
  ReadAhead(const Work& work, std::vector<TimeRange> ranges)
      : work_(work), ranges_(std::move(ranges)) {
    if (!ranges_.empty())
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  /// Waits for the next clip. Throws what decoding it threw.
  std::shared_ptr<const Clip> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || problem_; });
    if (ready_.empty()) std::rethrow_exception(problem_);
    auto clip = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return clip;
  }

 private:
  void run(const std::stop_token& stop) {
    try {
      ClipReader reader(work_.video, work_.known.video.sha256, work_.model,
                        ranges_.size() == 1 ? FrameSearch::kSeeking : FrameSearch::kAllTimes);
      // Who asks is gone (`stop`), or the whole work is to end.
      std::stop_source either;
      const std::stop_callback gone(stop, [&] { either.request_stop(); });
      const std::stop_callback ended(work_.stop, [&] { either.request_stop(); });
      const auto take = [&](std::shared_ptr<const Clip> clip) {
        std::unique_lock lock(mutex_);
        check(changed_.wait(lock, stop, [&] { return ready_.size() < kClipsAhead; }),
              ErrorCode::kCancelled, "nobody waits for the clips any more");
        ready_.push_back(std::move(clip));
        changed_.notify_all();
      };
      reader.read_each(ranges_, take, either.get_token());
    } catch (...) {
      const std::lock_guard lock(mutex_);
      problem_ = std::current_exception();
      changed_.notify_all();
    }
  }

  const Work& work_;
  const std::vector<TimeRange> ranges_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<const Clip>> ready_;
  std::exception_ptr problem_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace

void ask_parts(const Work& work, const Prompt& prompt, const std::vector<Part>& parts,
               const std::function<void(size_t, const Checked&, const Clip&)>& take) {
  std::vector<Request> requests;
  std::vector<std::string> keys;
  std::vector<std::optional<std::pair<Checked, Clip>>> kept;
  for (const Part& part : parts) {
    requests.push_back(request_of(prompt, part.values, part.max_tokens));
    requests.back().person_waits = part.person_waits;
    if (part.looks) requests.back().content = work.known.video.sha256;
    requests.back().on_text = part.on_text;
    keys.push_back(part_key(work, prompt, part, requests.back()));
    const auto text = work.parts.find(keys.back());
    kept.push_back(text ? decode_part(*text, part) : std::nullopt);
  }
  std::vector<TimeRange> looked_at;
  for (size_t i = 0; i < parts.size(); ++i)
    if (!kept[i] && parts[i].looks) looked_at.push_back(parts[i].range);
  ReadAhead ahead(work, std::move(looked_at));
  std::vector<Clip> shown;
  for (const Part& part : parts) shown.push_back({part.range, {}, {}});
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i].looks)
      requests[i].look = [&, i, seen = std::make_shared<Seen>()](Request& request) {
        if (!seen->clip) {
          add_keyframes(work, parts[i].range, *seen);  // while the clip is decoded
          seen->clip = ahead.next();
          shown[i].times_us = seen->clip->times_us;
        }
        request.clip = seen->clip;
        request.pictures = seen->pictures;
      };
  for (size_t i = 0; i < parts.size();) {
    check(!work.stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    if (kept[i]) {
      take(i, kept[i]->first, kept[i]->second);
      ++i;
      continue;
    }
    size_t end = i + 1;
    while (end < parts.size() && !kept[end]) ++end;
    ask_checked(
        work.model, std::span(requests).subspan(i, end - i),
        [&](size_t k, const Checked& reply) {
          if (reply.problem.empty()) work.parts.keep(keys[i + k], encode_part(reply, shown[i + k]));
          requests[i + k].look = {};  // what it has seen goes
          take(i + k, reply, shown[i + k]);
        },
        work.stop);
    i = end;
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
