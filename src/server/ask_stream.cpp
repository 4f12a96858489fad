#include "server/ask_stream.h"

#include <utility>

#include "document/json.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kLooksAHeartbeat = 250;

std::string event_text(const std::string& event, const std::string& data) {
  return "event: " + event + "\ndata: " + data + "\n\n";
}

deep::AskWatch watch(EventQueue& events, const AskStream::Citing& cite) {
  return {[&events, cite](const std::vector<deep::Citation>& best) {
            events.push("found", {{"citations", cite(best)}});
          },
          [&events](const std::string& video, const TimeRange& window) {
            events.push("look", {{"video", video},
                                 {"start", document::seconds(window.start_us)},
                                 {"end", document::seconds(window.end_us)}});
          },
          [&events](const std::string& words) { events.push("token", {{"text", words}}); }};
}

/// Tells the queue's end also where the work throws.
struct Ending {
  EventQueue& events;
  ~Ending() { events.end(); }
};

}  // namespace

void EventQueue::push(const std::string& event, const Json& data) {
  const std::string text = event_text(event, document::to_text(data));
  const std::lock_guard lock(mutex_);
  events_ += text;
  changed_.notify_all();
}

void EventQueue::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string EventQueue::take(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] { return ended_ || !events_.empty(); });
  return std::exchange(events_, "");
}

bool EventQueue::is_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

AskStream::AskStream(Answering answer, Citing cite, const Request& request)
    : is_gone_(request.is_gone),
      server_stop_(request.stop),
      call_([this, answer = std::move(answer), cite = std::move(cite)](std::stop_token stop) {
        const Ending ending{events_};
        return answer(watch(events_, cite), std::move(stop));
      }) {}

std::optional<std::string> AskStream::next() {
  if (ended_) return std::nullopt;
  for (int looks = 0; looks < kLooksAHeartbeat; ++looks) {
    std::string events = events_.take(kLook);
    if (!events.empty()) return events;
    if (events_.is_ended() && call_.wait(kLook)) return events_.take({}) + last_event();
    if (is_gone_()) return std::nullopt;
    if (server_stop_.stop_requested()) call_.stop();
  }
  return ": still looking\n\n";
}

std::string AskStream::last_event() {
  ended_ = true;
  try {
    return event_text("answer", document::to_text(call_.take()));
  } catch (const Error& error) {
    return event_text("error", std::get<std::string>(error_response(error).body));
  }
}

}  // namespace prismvid::server
