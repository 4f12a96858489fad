#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "core/error.h"
#include "core/json_depth.h"
#include "core/media_time.h"
#include "inference/engine.h"

namespace prismvid::cli {
namespace {

using nlohmann::ordered_json;
using namespace prismvid::inference;

constexpr const char* kCacheOwner = "generate";  // its files are told by what they show alone

struct GenerateArguments {
  std::string model;
  std::string prompt;
  std::string system;
  std::string messages;
  std::string tools;
  std::vector<std::string> images;
  std::vector<std::string> videos;
  std::string format = "text";
  std::string device = "auto";
  std::string dtype = "auto";
  std::string kernels = "fast";
  bool precise = false;
  int threads = 0;
  int kv_bits = 16;
  std::string dialect = "release";
  std::string json_schema;
  std::string regex;
  std::vector<std::string> choices;
  bool json_answer = false;
  double memory_gb = 0;
  std::string cache_folder;
  double cache_gb = 10;
  std::string video_start;
  std::string video_end;
  bool dry_run = false;
  int logprobs = -1;
  std::optional<float> temperature, top_p, min_p, presence_penalty, frequency_penalty,
      repetition_penalty;
  std::optional<int> top_k;
  std::vector<std::string> logit_bias;
  uint64_t seed = 0;
  qwen3_vl::VideoOptions video;
  GenerateOptions options;
};

// "-" is standard input.
ordered_json read_json_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  check(path == "-" || file.good(), ErrorCode::kNotFound, "cannot read ", path);
  const std::string text{std::istreambuf_iterator<char>(path == "-" ? std::cin : file), {}};
  check(!nests_deeper_than(text), ErrorCode::kInvalidArgument, path, " is nested too deeply");
  try {
    return ordered_json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kInvalidArgument, path, " is not valid JSON: ", e.what());
  }
}

std::shared_ptr<const grammar::Grammar> grammar_of(const GenerateArguments& arguments) {
  using grammar::Grammar;
  const int given = !arguments.json_schema.empty() + !arguments.regex.empty() +
                    !arguments.choices.empty() + arguments.json_answer;
  check(given <= 1, ErrorCode::kInvalidArgument,
        "give one of --json, --json-schema, --regex and --choice");
  if (arguments.json_answer) return Grammar::any_json();
  if (!arguments.regex.empty()) return Grammar::regex(arguments.regex);
  if (!arguments.choices.empty()) return Grammar::choice(arguments.choices);
  if (arguments.json_schema.empty()) return nullptr;
  return Grammar::json_schema(read_json_file(arguments.json_schema));
}

qwen3_vl::VideoOptions video_options(const GenerateArguments& arguments) {
  qwen3_vl::VideoOptions options = arguments.video;
  if (!arguments.video_start.empty()) options.start_us = parse_clock(arguments.video_start);
  if (!arguments.video_end.empty()) options.end_us = parse_clock(arguments.video_end);
  if (arguments.dialect == "outer") options.dialect = qwen3_vl::VideoDialect::kOuter;
  return options;
}

// Media first, then the question: as the model was trained.
Conversation conversation_of(const GenerateArguments& arguments) {
  const auto video = video_options(arguments);
  Conversation conversation;
  if (!arguments.messages.empty()) {
    check(arguments.prompt.empty() && arguments.system.empty() && arguments.images.empty() &&
              arguments.videos.empty(),
          ErrorCode::kInvalidArgument,
          "--messages holds the whole conversation: leave out --prompt, --system, --image and "
          "--video");
    conversation = parse_conversation(read_json_file(arguments.messages), video);
  } else {
    check(!arguments.prompt.empty(), ErrorCode::kInvalidArgument,
          "generate needs --prompt or --messages");
    if (!arguments.system.empty())
      conversation.add_text(tokenizer::Role::kSystem, arguments.system);
    conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
    for (const auto& path : arguments.images)
      conversation.append_image(std::filesystem::path(path));
    for (const auto& path : arguments.videos)
      conversation.append_video({std::filesystem::path(path), video});
    conversation.append_text(arguments.prompt);
  }
  if (!arguments.tools.empty()) conversation.tools = read_json_file(arguments.tools);
  return conversation;
}

// "ID=VALUE"
std::map<int, float> logit_bias_of(const std::vector<std::string>& given) {
  std::map<int, float> bias;
  for (const std::string& entry : given) {
    std::istringstream in(entry);
    int id = -1;
    char equals = 0;
    float value = 0;
    check(in >> id >> equals >> value && equals == '=' && id >= 0 && in.peek() == EOF,
          ErrorCode::kInvalidArgument,
          "--logit-bias takes a token's id and a number, like 151645=-100, not \"", entry, "\"");
    bias[id] = value;
  }
  return bias;
}

GenerateOptions generate_options(const GenerateArguments& arguments,
                                 const GenerateOptions& defaults) {
  GenerateOptions options = arguments.options;
  options.sampling = defaults.sampling;
  auto& sampling = options.sampling;
  const auto set = [](auto& target, const auto& given) {
    if (given) target = *given;
  };
  set(sampling.temperature, arguments.temperature);
  set(sampling.top_k, arguments.top_k);
  set(sampling.top_p, arguments.top_p);
  set(sampling.min_p, arguments.min_p);
  set(sampling.presence_penalty, arguments.presence_penalty);
  set(sampling.frequency_penalty, arguments.frequency_penalty);
  set(sampling.repetition_penalty, arguments.repetition_penalty);
  sampling.logit_bias = logit_bias_of(arguments.logit_bias);
  sampling.seed = arguments.seed;
  options.top_log_probabilities = arguments.logprobs;
  options.dialect = video_options(arguments).dialect;
  return options;
}

ordered_json to_json(const std::vector<nn::LogProbabilities>& tokens) {
  const auto entry = [](const nn::TokenProbability& token) {
    return ordered_json{{"token_id", token.id}, {"logprob", token.log_probability}};
  };
  ordered_json list = ordered_json::array();
  for (const auto& token : tokens) {
    list.push_back(entry(token.chosen));
    auto& top = list.back()["top"] = ordered_json::array();
    for (const auto& candidate : token.top) top.push_back(entry(candidate));
  }
  return list;
}

ordered_json to_json(const Answer& answer, bool with_log_probabilities) {
  ordered_json result{{"prompt_token_ids", answer.prompt_token_ids},
                      {"token_ids", answer.token_ids},
                      {"text", answer.text},
                      {"reasoning", answer.reasoning}};
  if (with_log_probabilities) result["logprobs"] = to_json(answer.log_probabilities);
  result["finish_reason"] = to_string(answer.finish_reason);
  if (answer.valid) result["valid"] = *answer.valid;
  result["timings_ms"] = {
      {"load", answer.timings.load_ms},     {"queue", answer.timings.queue_ms},
      {"vision", answer.timings.vision_ms}, {"prefill", answer.timings.prefill_ms},
      {"decode", answer.timings.decode_ms}, {"first_token", answer.timings.first_token_ms}};
  result["cached_prompt_tokens"] = answer.cached_prompt_tokens;
  result["drafted"] = answer.drafted_tokens;
  result["accepted"] = answer.accepted_tokens;
  result["peak_memory_bytes"] = answer.peak_memory_bytes;
  return result;
}

ordered_json to_json(const PromptPlan& plan, const qwen3_vl::VisionConfig& vision) {
  ordered_json media = ordered_json::array();
  for (const MediaPlan& medium : plan.media) {
    const auto& grid = medium.layout.grid;
    ordered_json entry{{"type", medium.video ? "video" : "image"},
                       {"source_size", {medium.source_size.width, medium.source_size.height}},
                       {"size", {medium.size.width, medium.size.height}},
                       {"grid_thw", {grid.t, grid.h, grid.w}},
                       {"tokens", medium.tokens(vision)}};
    if (medium.video) {
      entry["frames"] = medium.times_us.size();
      entry["frame_indices"] = medium.frame_indices;
      for (const double time : medium.layout.times)  // whole microseconds, without the noise of their mean
        entry["timestamps_seconds"].push_back(std::round(time * 1e6) / 1e6);
    }
    media.push_back(entry);
  }
  return {{"prompt_tokens", plan.token_ids.size()},
          {"visual_tokens", plan.visual_tokens},
          {"media", media}};
}

void print_plan(const GenerateArguments& arguments) {
  const PromptPlanner planner(find_model(arguments.model));
  const PromptPlan plan =
      planner.plan(conversation_of(arguments), generate_options(arguments, GenerateOptions{}));
  std::cout << to_json(plan, planner.config().vision).dump(2) << "\n";
}

LoadOptions load_options(const GenerateArguments& arguments) {
  LoadOptions options;
  if (arguments.device == "cpu") options.device = Device::kCpu;
  if (arguments.device == "cuda") options.device = Device::kCuda;
  if (arguments.device == "metal") options.device = Device::kMetal;
  if (arguments.dtype == "f32") options.precision = Precision::kFloat32;
  if (arguments.dtype == "bf16") options.precision = Precision::kBfloat16;
  if (arguments.kernels == "plain") options.kernels = Kernels::kPlain;
  options.precise = arguments.precise;
  options.threads = arguments.threads;
  options.kv_bits = arguments.kv_bits;
  return options;
}

EngineOptions engine_options(const GenerateArguments& arguments) {
  EngineOptions options;
  options.memory_bytes = static_cast<uint64_t>(arguments.memory_gb * 1e9);
  if (!arguments.cache_folder.empty())
    options.caches.files = std::make_shared<FileCache>(
        arguments.cache_folder, static_cast<uint64_t>(arguments.cache_gb * 1e9));
  return options;
}

void generate(const GenerateArguments& arguments) {
  if (arguments.dry_run) return print_plan(arguments);
  const std::stop_token stop = interrupted();  // before MLX starts its threads
  const Conversation conversation = conversation_of(arguments);
  const auto grammar = grammar_of(arguments);  // refused before the model is loaded
  Engine engine(arguments.model, load_options(arguments), engine_options(arguments));
  GenerateOptions options = generate_options(arguments, engine.defaults());
  options.grammar = grammar;
  const EngineRequest request{conversation, options, Priority::kInteractive, kCacheOwner};
  if (arguments.format == "json") {
    const Answer answer = engine.submit(request).get(stop);
    const auto replace = ordered_json::error_handler_t::replace;
    std::cout << to_json(answer, arguments.logprobs >= 0).dump(-1, ' ', false, replace) << "\n";
    return;
  }
  const auto print = [](const TokenEvent& event) { std::cout << event.text << std::flush; };
  const Answer answer = engine.submit(request, print).get(stop);
  std::cout << "\n";
  if (answer.valid == false && answer.finish_reason != FinishReason::kCancelled)
    std::cerr << "prismvid: the answer is unfinished (" << to_string(answer.finish_reason)
              << ") and not what was asked for; raise --max-tokens\n";
  if (answer.finish_reason == FinishReason::kCancelled)
    throw Exit{exit_code(ErrorCode::kCancelled)};
}

void add_media_options(CLI::App& command, GenerateArguments& arguments) {
  command.add_option("--image", arguments.images,
                     "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF; may be given more than once");
  command.add_option("--video", arguments.videos, "video file; may be given more than once");
  command.add_option("--video-fps", arguments.video.fps,
                     "frames to take a second (the checkpoint's 2)");
  command.add_option("--video-frames", arguments.video.frames,
                     "number of frames; with --video-fps at most so many");
  command.add_option("--video-min-frames", arguments.video.min_frames, "at least so many frames");
  command.add_option("--video-max-frames", arguments.video.max_frames, "at most so many frames");
  command.add_option("--video-tokens", arguments.video.max_tokens,
                     "budget of tokens for the whole video");
  command.add_option("--video-frame-tokens", arguments.video.max_frame_tokens,
                     "cap of tokens for one frame");
  command.add_option("--video-start", arguments.video_start, "begin here: seconds or 1:23.5");
  command.add_option("--video-end", arguments.video_end, "end here");
  command
      .add_option("--video-dialect", arguments.dialect,
                  "release, or outer as transformers 5.10 and later")
      ->check(CLI::IsMember({"release", "outer"}));
}

void add_sampling_options(CLI::App& command, GenerateArguments& arguments) {
  command.add_option("--max-tokens", arguments.options.max_tokens, "longest answer")
      ->capture_default_str();
  command.add_option("--temperature", arguments.temperature,
                     "0 takes the likeliest token (default: the checkpoint's)");
  command.add_option("--top-k", arguments.top_k, "keep the k likeliest tokens, 0 for all");
  command.add_option("--top-p", arguments.top_p,
                     "keep the likeliest tokens up to this probability");
  command.add_option("--min-p", arguments.min_p,
                     "drop tokens below this share of the likeliest one's probability");
  command.add_option("--presence-penalty", arguments.presence_penalty,
                     "subtracted for tokens already generated");
  command.add_option("--frequency-penalty", arguments.frequency_penalty,
                     "subtracted for each time generated");
  command.add_option("--repetition-penalty", arguments.repetition_penalty,
                     "divides the scores of generated tokens");
  command.add_option("--logit-bias", arguments.logit_bias,
                     "ID=VALUE added to the score of a token; may be given more than once");
  command.add_option("--seed", arguments.seed, "of sampling")->capture_default_str();
  command.add_option("--stop", arguments.options.stop_strings,
                     "end before this text; may be given more than once");
  command.add_option("--json-schema", arguments.json_schema,
                     "answer with JSON that fulfils this schema: a file, or - for standard input");
  command.add_flag("--json", arguments.json_answer, "answer with JSON");
  command.add_option("--regex", arguments.regex, "answer with a match of this expression");
  command.add_option("--choice", arguments.choices,
                     "answer with one of these texts; may be given more than once");
  command
      .add_option("--logprobs", arguments.logprobs,
                  "log probabilities of each token and its k likeliest")
      ->check(CLI::Range(0, 100));
  command.add_option("--thinking-budget", arguments.options.thinking_budget,
                     "most tokens of reasoning");
  command.add_flag("--loop-guard", arguments.options.loop_guard,
                   "end an answer that repeats itself");
  command.add_flag("--ignore-eos", arguments.options.ignore_end,
                   "go on behind the end of the answer");
  command
      .add_option("--prefill-chunk", arguments.options.prefill_chunk,
                  "prompt tokens run together; 0: as many as suit the device")
      ->capture_default_str();
  command
      .add_option("--draft-tokens", arguments.options.draft_tokens,
                  "most tokens guessed ahead in a step, where that pays; 0 turns it off")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
}

}  // namespace

void add_generate_command(CLI::App& app) {
  auto arguments = std::make_shared<GenerateArguments>();
  CLI::App& command =
      *app.add_subcommand("generate", "Ask a Qwen3-VL model about pictures, videos and text");
  command
      .add_option("--model", arguments->model,
                  "folder of a checkpoint, or a name in the Hugging Face cache")
      ->required();
  command.add_option("--prompt", arguments->prompt, "the question");
  command.add_option("--system", arguments->system, "system message");
  command.add_option("--messages", arguments->messages, "JSON file with the whole conversation");
  command.add_option("--tools", arguments->tools, "JSON file with a list of function signatures");
  add_media_options(command, *arguments);
  add_sampling_options(command, *arguments);
  command.add_flag("--number-media", arguments->options.number_media,
                   "\"Picture 1: \" and \"Video 1: \" before each");
  command.add_option("--format", arguments->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command.add_option("--device", arguments->device, "auto, cpu, cuda or metal")
      ->check(CLI::IsMember({"auto", "cpu", "cuda", "metal"}));
  command.add_option("--dtype", arguments->dtype, "auto (as stored), f32 or bf16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  command
      .add_option("--kernels", arguments->kernels,
                  "on a CPU: fast, or plain for MLX's own (very slow), to compare")
      ->check(CLI::IsMember({"fast", "plain"}));
  command.add_flag(
      "--precise", arguments->precise,
      "on a CPU: do not round activations to 8 bits in products with quantised weights");
  command.add_option("--threads", arguments->threads, "of a CPU (default: all that are allowed)")
      ->check(CLI::Range(1, 4096));
  add_kv_bits(command, arguments->kv_bits);
  command
      .add_option("--memory", arguments->memory_gb,
                  "GB for weights, caches and answers (default: four fifths of this machine's)")
      ->check(CLI::PositiveNumber);
  command.add_option("--cache", arguments->cache_folder,
                     "folder that keeps what was seen of pictures, videos and prompts for the next "
                     "call");
  command.add_option("--cache-size", arguments->cache_gb, "GB of the folder")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_flag("--dry-run", arguments->dry_run,
                   "print frames, times, sizes and token counts, run nothing");
  command.callback([arguments] { generate(*arguments); });
}

}  // namespace prismvid::cli
