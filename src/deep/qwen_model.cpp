#include "deep/qwen_model.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/memory.h"
#include "deep/clip_cache.h"
#include "deep/model_fingerprint.h"
#include "inference/engine.h"
#include "inference/installed_models.h"
#include "models/qwen3_vl/bicubic.h"
#include "models/qwen3_vl/frame_size.h"

namespace prismvid::deep {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostAtOnce = 8;

/// 33 windows of 40 frames at 64 tokens a pair, eleven minutes of video, up to four times as many
/// where there is much memory.
uint64_t clip_bytes() {
  constexpr uint64_t least = uint64_t{256} << 20, most = uint64_t{1} << 30;
  return std::clamp(machine_memory_bytes() / 32, least, most);
}

using inference::Conversation;
using tokenizer::Role;

const char* to_string(inference::Device device) {
  switch (device) {
    case inference::Device::kCuda:
      return "cuda";
    case inference::Device::kMetal:
      return "metal";
    default:
      return "cpu";
  }
}

/// "4bit" from the checkpoint's own quantisation, "bf16" and the like without one.
std::string quantization_of(const nlohmann::json& config) {
  const auto quantization = config.find("quantization");
  if (quantization != config.end() && quantization->is_object() && quantization->contains("bits"))
    return std::to_string((*quantization)["bits"].get<int>()) + "bit";
  for (const char* key : {"dtype", "torch_dtype"})
    if (config.contains(key) && config[key].is_string()) return config[key].get<std::string>();
  return "";
}

/// Where NVIDIA's GPUs compute, reading from the disk what they made would take longer than making
/// it.
inference::EngineOptions engine_options(const ModelChoice& choice,
                                        const std::shared_ptr<FileCache>& kept) {
  inference::EngineOptions options;
  if (choice.card.device != "cuda") options.caches.files = kept;
  return options;
}

inference::LoadOptions load_options(const ModelChoice& choice) {
  inference::LoadOptions options;
  options.kv_bits = choice.kv_bits;
  return options;
}

class QwenModel : public Model {
 public:
  QwenModel(const ModelChoice& choice, std::shared_ptr<FileCache> kept)
      : choice_(choice),
        engine_(choice.name, load_options(choice), engine_options(choice, kept)),
        clips_(clip_bytes(), std::move(kept)) {}

  const document::StageModel& card() const override { return choice_.card; }
  const Feeding& feeding() const override { return choice_.feeding; }
  inference::Engine* engine() override { return &engine_; }
  ClipCache* clips() const override { return &clips_; }
  void forget(const std::string& content) override {
    engine_.empty_caches(inference::Emptying::kForget);  // names no video: all goes
    clips_.forget(content);
  }
  void start_anew() override {
    engine_.empty_caches(inference::Emptying::kToDisk);
    clips_.start_anew();
  }

  Image resized(ImageView picture, int frames) const override {
    return qwen3_vl::resize_bicubic(
        picture, frames > 0 ? engine_.planner().frame_size(picture.size(), frames, video_options())
                            : keyframe_size(picture.size()));
  }

  int count_tokens(const std::string& text) const override {
    return engine_.planner().count_tokens(text);
  }

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override {
    std::deque<inference::Ticket> tickets;  // in the order of the requests
    struct Canceller {
      std::deque<inference::Ticket>& left;
      ~Canceller() {
        for (inference::Ticket& ticket : left) ticket.cancel();
        for (inference::Ticket& ticket : left) wait_for_end(ticket);
      }
    } canceller{tickets};
    for (size_t next = 0, taken = 0; taken < requests.size(); ++taken) {
      for (; next < requests.size() && tickets.size() < kMostAtOnce; ++next)
        tickets.push_back(submit(requests[next].looked()));
      inference::Ticket first = std::move(tickets.front());
      tickets.pop_front();
      take(taken, reply_of(first, stop));
    }
  }

 private:
  qwen3_vl::VideoOptions video_options() const {
    qwen3_vl::VideoOptions options;
    options.max_frame_tokens = choice_.feeding.frame_tokens;
    return options;
  }

  Size keyframe_size(Size size) const {
    const int factor = engine_.planner().config().vision.factor();
    const int64_t token = int64_t{factor} * factor;
    return qwen3_vl::image_size(size, factor, token, choice_.feeding.keyframe_tokens * token);
  }

  Conversation conversation_of(const Request& request) const {
    Conversation conversation;
    conversation.messages.push_back({Role::kUser, {}, {}, {}});
    if (request.clip)
      conversation.append_video(
          {inference::FrameList{request.clip->frames, request.clip->times_us}, video_options()});
    for (const auto& picture : request.pictures) conversation.append_image(picture);
    conversation.append_text(request.prompt);
    return conversation;
  }

  inference::Ticket submit(const Request& request) {
    inference::GenerateOptions options;
    options.max_tokens = request.max_tokens;
    options.sampling.temperature = request.temperature;
    options.sampling.seed = request.seed;
    options.loop_guard = !request.goes_on;
    options.ignore_end = request.goes_on;
    if (!request.schema.is_null()) options.grammar = grammar::Grammar::json_schema(request.schema);
    inference::TokenCallback on_token;
    if (request.on_text)
      on_token = [on_text = request.on_text](const inference::TokenEvent& event) {
        if (!event.text.empty()) on_text(event.text);
      };
    return engine_.submit(
        {conversation_of(request), options,
         request.person_waits ? inference::Priority::kInteractive : inference::Priority::kBatch,
         request.content},
        std::move(on_token));
  }

  /// Nobody is told of a request's text any more.
  static void wait_for_end(inference::Ticket& ticket) noexcept {
    try {
      ticket.get();
    } catch (const std::exception&) {
    }
  }

  static void log(const inference::Answer& answer) {
    const inference::Timings& t = answer.timings;
    spdlog::debug(
        "answer: {} tokens in, {} of them known, {} out; ms: queue {:.1f}, vision {:.1f}, prefill "
        "{:.1f}, first token {:.1f}, decode {:.1f}",
        answer.prompt_token_ids.size(), answer.cached_prompt_tokens, answer.token_ids.size(),
        t.queue_ms, t.vision_ms, t.prefill_ms, t.first_token_ms, t.decode_ms);
  }

  Reply reply_of(inference::Ticket& ticket, const std::stop_token& stop) const {
    try {
      const inference::Answer answer = ticket.get(stop);
      check(answer.finish_reason != inference::FinishReason::kCancelled, ErrorCode::kCancelled,
            "interrupted");
      log(answer);
      return {answer.text,
              static_cast<int64_t>(answer.prompt_token_ids.size()),
              static_cast<int64_t>(answer.token_ids.size()),
              answer.finish_reason == inference::FinishReason::kStop,
              answer.timings.vision_ms / 1000,
              answer.timings.prefill_ms / 1000};
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // MLX and the allocator throw their own
      fail(ErrorCode::kModel, choice_.card.id, " failed: ", error.what());
    }
  }

  ModelChoice choice_;
  inference::Engine engine_;
  mutable ClipCache clips_;
};

}  // namespace

ModelChoice inspect_qwen_model(const std::string& name, int kv_bits) {
  const fs::path folder = inference::find_model(name);
  const inference::PromptPlanner files(folder);
  ModelChoice choice;
  choice.name = name;
  choice.feeding = read_feeding(folder);
  // A name of the Hugging Face cache says more than the folder of its snapshot.
  choice.card.id = fs::is_directory(name) ? fs::weakly_canonical(folder).filename().string() : name;
  choice.card.sha256 = model_fingerprint(folder);
  choice.card.quantization = quantization_of(files.config().file);
  if (kv_bits != 16)  // answers depend on it, so what is kept of them must
    choice.card.quantization +=
        (choice.card.quantization.empty() ? "kv" : ", kv") + std::to_string(kv_bits);
  choice.kv_bits = kv_bits;
  choice.card.device = to_string(inference::default_device());
  choice.card.backend = "mlx-" + choice.card.device;
  choice.weight_bytes = inference::weight_bytes(folder);
  return choice;
}

std::unique_ptr<Model> open_qwen_model(const ModelChoice& choice, std::shared_ptr<FileCache> kept) {
  try {
    return std::make_unique<QwenModel>(choice, std::move(kept));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorCode::kModel, "the model ", choice.name, " cannot be loaded: ", error.what());
  }
}

std::string stamp_of_qwen_model(const std::string& name) {
  return model_stamp(inference::find_model(name));
}

std::string find_qwen_model() {
  return inference::largest_fitting_model();
}

}  // namespace prismvid::deep
