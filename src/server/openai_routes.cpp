#include "server/openai_routes.h"

#include <chrono>

#include "core/json_depth.h"
#include "document/json.h"
#include "server/chat_run.h"
#include "server/json_body.h"

// OpenAI's interfaces: chat completions, completions, responses, models.
namespace prismvid::server {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMaxBodyBytes = int64_t{256} << 20;  // pictures and short videos as data: URLs
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kLooksAHeartbeat = 500;

int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

ordered_json parse_body(const Request& request) {
  if (nests_deeper_than(request.body)) throw HttpError(400, "invalid_json", "the body is nested too deeply");
  ordered_json body = ordered_json::parse(request.body, nullptr, false);
  if (!body.is_object()) throw HttpError(400, "invalid_json", "the body must be a JSON object");
  return body;
}

/// What is wrong with a request is told as a status, so it is read before anything streams.
bool wants_stream(const ordered_json& body) { return flag_key(body, "stream").value_or(false); }

inference::Answer wait_for(ChatRun& run, const Request& request) {
  while (!run.wait(std::chrono::milliseconds(50)))
    if (request.is_gone() || request.stop.stop_requested()) run.stop();
  return run.take();
}

ChatShape shape_of(const ChatRun& run, const std::string& prefix) {
  return {prefix + random_hex(), run.model().name, unix_seconds(), run.model().engine().planner()};
}

std::string event(const ordered_json& json) { return "data: " + document::to_text(json) + "\n\n"; }

/// One interface's way of telling an answer as events.
class StreamForm {
 public:
  virtual ~StreamForm() = default;
  virtual std::string begin(const ChatRun& run) = 0;
  virtual std::string words(const std::string& text, const std::string& reasoning) = 0;
  virtual std::string end(const ChatRun& run, const inference::Answer& answer, const ChatText& text) = 0;
};

/// chat.completion.chunk, or text_completion for the older interface.
class ChatStreamForm : public StreamForm {
 public:
  explicit ChatStreamForm(bool chat) : chat_(chat) {}

  std::string begin(const ChatRun& run) override {
    shape_.emplace(shape_of(run, chat_ ? "chatcmpl-" : "cmpl-"));
    return chat_ ? event(shape_->chunk({{"role", "assistant"}, {"content", ""}}, nullptr)) : "";
  }

  std::string words(const std::string& text, const std::string& reasoning) override {
    if (!chat_) return text.empty() ? "" : event(completion_chunk(text, nullptr));
    std::string events;
    if (!reasoning.empty()) events += event(shape_->chunk({{"reasoning_content", reasoning}}, nullptr));
    if (!text.empty()) events += event(shape_->chunk({{"content", text}}, nullptr));
    return events;
  }

  std::string end(const ChatRun& run, const inference::Answer& answer, const ChatText& text) override {
    std::string events;
    if (!chat_) {
      events += event(completion_chunk("", finish_reason(answer, text)));
    } else {
      if (!text.calls.empty()) events += event(shape_->chunk({{"tool_calls", shape_->calls(text.calls, true)}}, nullptr));
      ordered_json last = shape_->chunk(ordered_json::object(), finish_reason(answer, text));
      last["choices"][0]["logprobs"] = shape_->logprobs(answer);
      events += event(last);
    }
    if (run.call().include_usage) {
      ordered_json usage = chat_ ? shape_->chunk(nullptr, nullptr) : completion_chunk("", nullptr);
      usage["choices"] = ordered_json::array();
      usage["usage"] = shape_->usage(answer);
      events += event(usage);
    }
    return events + "data: [DONE]\n\n";
  }

 private:
  ordered_json completion_chunk(const std::string& text, const ordered_json& reason) const {
    return {{"id", shape_->id}, {"object", "text_completion"}, {"created", shape_->created}, {"model", shape_->model},
            {"choices", ordered_json::array({{{"index", 0}, {"text", text}, {"logprobs", nullptr}, {"finish_reason", reason}}})}};
  }

  bool chat_;
  std::optional<ChatShape> shape_;
};

ordered_json response_json(const ChatShape& shape, const inference::Answer* answer, const ChatText& text, const std::string& status) {
  ordered_json output = ordered_json::array();
  if (answer && (!text.content.empty() || text.calls.empty()))
    output.push_back({{"type", "message"}, {"id", "msg_" + shape.id.substr(5)}, {"status", "completed"}, {"role", "assistant"},
                      {"content", ordered_json::array({{{"type", "output_text"}, {"text", text.content}, {"annotations", ordered_json::array()}}})}});
  for (const ToolCall& call : text.calls)
    output.push_back({{"type", "function_call"}, {"id", "fc_" + call.id.substr(5)}, {"call_id", call.id}, {"name", call.name}, {"arguments", call.arguments}, {"status", "completed"}});
  ordered_json json = {{"id", shape.id}, {"object", "response"}, {"created_at", shape.created}, {"status", status}, {"error", nullptr},
                       {"incomplete_details", nullptr}, {"instructions", nullptr}, {"metadata", ordered_json::object()}, {"model", shape.model}, {"output", output},
                       {"parallel_tool_calls", true}, {"temperature", nullptr}, {"tool_choice", "auto"}, {"tools", ordered_json::array()}, {"top_p", nullptr}, {"usage", nullptr}};
  if (!answer) return json;
  if (answer->finish_reason != inference::FinishReason::kStop) {
    json["status"] = "incomplete";
    json["incomplete_details"] = {{"reason", "max_output_tokens"}};
  }
  const auto in = answer->prompt_token_ids.size(), out = answer->token_ids.size();
  json["usage"] = {{"input_tokens", in}, {"input_tokens_details", {{"cached_tokens", 0}}}, {"output_tokens", out},
                   {"output_tokens_details", {{"reasoning_tokens", 0}}}, {"total_tokens", in + out}};
  return json;
}

/// The events of /v1/responses.
class ResponseStreamForm : public StreamForm {
 public:
  std::string begin(const ChatRun& run) override {
    shape_.emplace(shape_of(run, "resp_"));
    item_ = "msg_" + shape_->id.substr(5);
    const ordered_json created = response_json(*shape_, nullptr, {}, "in_progress");
    return tell("response.created", {{"response", created}}) +
           tell("response.output_item.added", {{"output_index", 0}, {"item", {{"type", "message"}, {"id", item_}, {"status", "in_progress"}, {"role", "assistant"}, {"content", ordered_json::array()}}}}) +
           tell("response.content_part.added", {{"item_id", item_}, {"output_index", 0}, {"content_index", 0}, {"part", part("")}});
  }

  std::string words(const std::string& text, const std::string&) override {
    if (text.empty()) return "";
    return tell("response.output_text.delta", {{"item_id", item_}, {"output_index", 0}, {"content_index", 0}, {"delta", text}, {"logprobs", ordered_json::array()}});
  }

  std::string end(const ChatRun&, const inference::Answer& answer, const ChatText& text) override {
    const ordered_json whole = response_json(*shape_, &answer, text, "completed");
    std::string events = tell("response.output_text.done", {{"item_id", item_}, {"output_index", 0}, {"content_index", 0}, {"text", text.content}, {"logprobs", ordered_json::array()}}) +
                         tell("response.content_part.done", {{"item_id", item_}, {"output_index", 0}, {"content_index", 0}, {"part", part(text.content)}});
    for (size_t i = 0; i < whole["output"].size(); ++i) events += tell("response.output_item.done", {{"output_index", i}, {"item", whole["output"][i]}});
    return events + tell(whole["status"] == "completed" ? "response.completed" : "response.incomplete", {{"response", whole}});
  }

 private:
  static ordered_json part(const std::string& text) { return {{"type", "output_text"}, {"text", text}, {"annotations", ordered_json::array()}}; }

  std::string tell(const std::string& type, ordered_json json) {
    ordered_json told = {{"type", type}, {"sequence_number", sequence_++}};
    told.update(json);
    return "event: " + type + "\n" + event(told);
  }

  std::optional<ChatShape> shape_;
  std::string item_;
  int sequence_ = 0;
};

/// Sends words as they come; a client that leaves ends the work.
class ChatStream {
 public:
  ChatStream(std::unique_ptr<ChatRun> run, std::unique_ptr<StreamForm> form, const Request& request)
      : run_(std::move(run)), form_(std::move(form)), is_gone_(request.is_gone), stop_(request.stop) {}

  std::optional<std::string> next() {
    if (ended_) return std::nullopt;
    for (int looks = 0; looks < kLooksAHeartbeat; ++looks) {
      const bool done = run_->wait(kLook);
      std::string events = news();
      if (done) return events + finish();
      if (!events.empty()) return events;
      if (stop_.stop_requested() || is_gone_()) return std::nullopt;
    }
    return ": still working\n\n";
  }

 private:
  std::string news() {
    const auto [text, reasoning] = run_->tokens().take();
    if (text.empty() && reasoning.empty()) return "";
    std::string events = begin();
    // A call that is required is told at the end, whole.
    const std::string shown = run_->call().calls_required ? "" : run_->call().tools.empty() ? text : filter_.push(text);
    return events + form_->words(shown, reasoning);
  }

  std::string begin() {
    if (std::exchange(begun_, true)) return "";
    return form_->begin(*run_);
  }

  std::string finish() {
    ended_ = true;
    try {
      const inference::Answer answer = run_->take();
      const ChatCall& call = run_->call();
      const ChatText text = call.tools.empty() ? ChatText{answer.text, {}} : split_calls(answer.text, call.calls_required);
      const std::string rest = text.calls.empty() ? filter_.rest() : "";
      return begin() + form_->words(rest, "") + form_->end(*run_, answer, text);
    } catch (const Error& error) {
      return "data: " + std::get<std::string>(error_response(error).body) + "\n\n";
    }
  }

  std::unique_ptr<ChatRun> run_;
  std::unique_ptr<StreamForm> form_;
  std::function<bool()> is_gone_;
  std::stop_token stop_;
  CallFilter filter_;
  bool begun_ = false;
  bool ended_ = false;
};

Response stream_response(std::unique_ptr<ChatRun> run, std::unique_ptr<StreamForm> form, const Request& request) {
  const auto stream = std::make_shared<ChatStream>(std::move(run), std::move(form), request);
  return event_stream([stream] { return stream->next(); });
}

/// Waits for the first word or the end, so that whatever is wrong with the request has its status.
void wait_for_start(ChatRun& run, const Request& request) {
  while (!run.wait(kLook) && !run.tokens().has_begun())
    if (request.is_gone() || request.stop.stop_requested()) run.stop();
  run.check_failed();
}

ChatText text_of(const ChatRun& run, const inference::Answer& answer) {
  return run.call().tools.empty() ? ChatText{answer.text, {}} : split_calls(answer.text, run.call().calls_required);
}

ordered_json whole_completion(const ChatShape& shape, const inference::Answer& answer, const ChatText&) {
  return {{"id", shape.id}, {"object", "text_completion"}, {"created", shape.created}, {"model", shape.model},
          {"choices", ordered_json::array({{{"index", 0}, {"text", answer.text}, {"logprobs", nullptr}, {"finish_reason", finish_reason(answer, {})}}})},
          {"usage", shape.usage(answer)}};
}

/// What sets one of the interfaces apart from the others.
struct Interface {
  const char* path;
  const char* summary;
  const char* body;  // its schema
  const char* id_prefix;
  ordered_json (*chat_of)(const ordered_json& body);  // as a body of chat completions
  std::unique_ptr<StreamForm> (*stream_form)();
  ordered_json (*whole)(const ChatShape& shape, const inference::Answer& answer, const ChatText& text);
};

const Interface kInterfaces[] = {
    {"/v1/chat/completions", "OpenAI's chat completions, with pictures and videos", "ChatRequest", "chatcmpl-", [](const ordered_json& body) { return body; },
     []() -> std::unique_ptr<StreamForm> { return std::make_unique<ChatStreamForm>(true); },
     [](const ChatShape& shape, const inference::Answer& answer, const ChatText& text) { return shape.completion(answer, text); }},
    {"/v1/completions", "OpenAI's completions; the prompt is a user's message", "CompletionRequest", "cmpl-", chat_of_completion,
     []() -> std::unique_ptr<StreamForm> { return std::make_unique<ChatStreamForm>(false); }, whole_completion},
    {"/v1/responses", "OpenAI's responses; nothing is kept between them", "ResponsesRequest", "resp_", chat_of_response,
     []() -> std::unique_ptr<StreamForm> { return std::make_unique<ResponseStreamForm>(); },
     [](const ChatShape& shape, const inference::Answer& answer, const ChatText& text) { return response_json(shape, &answer, text, "completed"); }},
};

Response answer_chat(Request& request, Context& context, const Interface& interface) {
  const ordered_json body = interface.chat_of(parse_body(request));
  const bool stream = wants_stream(body);
  auto run = std::make_unique<ChatRun>(context, body);
  if (stream) {
    wait_for_start(*run, request);
    return stream_response(std::move(run), interface.stream_form(), request);
  }
  const inference::Answer answer = wait_for(*run, request);
  return json_response(interface.whole(shape_of(*run, interface.id_prefix), answer, text_of(*run, answer)));
}

ordered_json model_json(const deep::ModelChoice& choice) {
  return {{"id", public_name(choice)}, {"object", "model"}, {"created", 0}, {"owned_by", "local"}, {"device", choice.card.device}, {"quantization", choice.card.quantization}};
}

Response list_models(Context& context) {
  ordered_json data = ordered_json::array();
  try {
    data.push_back(model_json(context.deep_models.choose("")));
  } catch (const Error&) {
    // None is installed: the list is empty, and /v1/health/ready says why.
  }
  return json_response({{"object", "list"}, {"data", data}});
}

}  // namespace

void add_openai_routes(Router& router, Context& context) {
  for (const Interface& interface : kInterfaces)
    router.add({"POST", interface.path, Scope::kRead, interface.summary,
                [&context, &interface](Request& request) { return answer_chat(request, context, interface); }, kMaxBodyBytes, {}, interface.body});
  router.add({"GET", "/v1/models", Scope::kRead, "The model that answers", [&](Request&) { return list_models(context); }});
}

}  // namespace prismvid::server
