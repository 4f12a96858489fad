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

}  // namespace

void EventQueue::push(const std::string& event, const Json& data) {
  const std::string text = event_text(event, document::to_text(data));
  const std::lock_guard lock(mutex_);
  events_ += text;
}

std::string EventQueue::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, "");
}

AskStream::AskStream(Answering answer, Citing cite, const Request& request)
    : is_gone_(request.is_gone),
      server_stop_(request.stop),
      call_([this, answer = std::move(answer), cite = std::move(cite)](std::stop_token stop) {
        return answer(watch(events_, cite), std::move(stop));
      }) {}

std::optional<std::string> AskStream::next() {
  if (ended_) return std::nullopt;
  for (int looks = 0; looks < kLooksAHeartbeat; ++looks) {
    const bool done = call_.wait(kLook);
    std::string events = events_.take();
    if (done) return events + last_event();
    if (!events.empty()) return events;
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
