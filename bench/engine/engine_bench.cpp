// engine_bench MODEL [GREATEST_BATCH]: prints one table row a line: decode rates of one and of many
// sequences, what guessing ahead brings, time to first token with cold and warm caches, the cost of
// a schema. MODEL: bench/engine/random_checkpoint.py makes one.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>

#include "grammar/token_masks.h"
#include "inference/engine.h"
#include "inference/planner_parts.h"

namespace {

using namespace prismvid;
using namespace prismvid::inference;
using Clock = std::chrono::steady_clock;

constexpr int kTokens = 32;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Conversation text_question(int number) {
  Conversation conversation;
  conversation.add_text(tokenizer::Role::kUser, "Tell number " + std::to_string(number) + ".");
  return conversation;
}

// 20 seconds at two frames a second.
Conversation video_question(const std::string& text) {
  FrameList list;
  std::mt19937 random(1);
  for (int i = 0; i < 40; ++i) {
    auto frame = std::make_shared<Image>(320, 192, 3);
    for (int y = 0; y < frame->height(); ++y)
      for (int x = 0; x < 3 * frame->width(); ++x)
        frame->row(y)[x] = static_cast<uint8_t>((x + 3 * y + 7 * i + random() % 16) % 256);
    list.frames.push_back(std::move(frame));
    list.times_us.push_back(i * 500'000);
  }
  Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  conversation.append_video({list, {}});
  conversation.append_text(text);
  return conversation;
}

GenerateOptions greedy(int tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  options.ignore_end = true;
  options.draft_tokens = 0;
  return options;
}

// Tokens a second from when all have begun to when the first is done.
double decode_rate(Engine& engine, int sequences) {
  std::mutex mutex;
  std::vector<std::pair<int, Clock::time_point>> events;
  std::vector<Ticket> tickets;
  for (int i = 0; i < sequences; ++i)
    tickets.push_back(engine.submit({text_question(i), greedy(kTokens + 2 * sequences)},
                                    [&, i](const TokenEvent& event) {
                                      if (event.id < 0) return;
                                      const std::lock_guard lock(mutex);
                                      events.emplace_back(i, Clock::now());
                                    }));
  for (Ticket& ticket : tickets) ticket.get();
  std::vector<Clock::time_point> first(sequences), last(sequences);
  for (const auto& [i, time] : events) {
    if (first[i] == Clock::time_point()) first[i] = time;
    last[i] = time;
  }
  const auto begin = *std::max_element(first.begin(), first.end()),
             end = *std::min_element(last.begin(), last.end());
  const auto count = std::count_if(events.begin(), events.end(), [&](const auto& event) {
    return event.second > begin && event.second <= end;
  });
  return static_cast<double>(count) / std::chrono::duration<double>(end - begin).count();
}

void print_first_token(Engine& engine, const char* name, const std::string& text, double cold_ms) {
  const auto start = Clock::now();
  double first_ms = 0;
  const Answer answer = engine
                            .submit({video_question(text), greedy(2)},
                                    [&](const TokenEvent&) {
                                      if (first_ms == 0) first_ms = milliseconds_since(start);
                                    })
                            .get();
  std::printf("%s: %.0f ms to the first token (%zu prompt tokens, %d known)", name, first_ms,
              answer.prompt_token_ids.size(), answer.cached_prompt_tokens);
  if (cold_ms > 0) std::printf(", %.1f %% of the cold one", 100 * first_ms / cold_ms);
  std::printf("\n");
}

double decode_ms_a_token(Engine& engine, std::shared_ptr<const grammar::Grammar> grammar) {
  GenerateOptions options = greedy(kTokens);
  options.grammar = std::move(grammar);
  const Answer answer = engine.submit({text_question(0), options}).get();
  return answer.timings.decode_ms / static_cast<double>(answer.token_ids.size() - 1);
}

std::shared_ptr<const grammar::Grammar> list_of_captions() {
  return grammar::Grammar::json_schema(nlohmann::ordered_json::parse(R"({"type": "array",
      "minItems": 50, "items": {"type": "object", "required": ["start", "text"], "properties":
      {"start": {"type": "number", "minimum": 0}, "text": {"type": "string", "minLength": 20}}}})"));
}

// Answers with guessing and without, in turns.
void print_guessing(Engine& engine, const char* name, const Conversation& conversation,
                    std::shared_ptr<const grammar::Grammar> grammar) {
  constexpr int kTurns = 3;
  double ms[2] = {0, 0};
  size_t tokens = 0;
  Answer answers[2];
  for (int turn = 0; turn <= kTurns; ++turn)
    for (const int guessing : {0, 1}) {
      GenerateOptions options = greedy(3 * kTokens);
      options.ignore_end = false;
      options.grammar = grammar;
      options.draft_tokens = guessing * GenerateOptions{}.draft_tokens;
      answers[guessing] = engine.submit({conversation, options}).get();
      if (turn > 0) ms[guessing] += answers[guessing].timings.decode_ms / kTurns;
      tokens = answers[guessing].token_ids.size();
    }
  const auto rate = [&](int i) { return 1000 * static_cast<double>(tokens - 1) / ms[i]; };
  std::printf(
      "guessing, %s: %.1f tokens/s, %.1f without (%.2f times), %zu tokens, %d of %d guesses right, "
      "answers %s\n",
      name, rate(1), rate(0), ms[0] / ms[1], tokens, answers[1].accepted_tokens,
      answers[1].drafted_tokens, answers[0].token_ids == answers[1].token_ids ? "equal" : "differ");
}

// Masks alone, along a text of the grammar that takes the vocabulary's tokens at random.
void print_masks(const PromptPlanner& planner) {
  const auto masks = planner.parts().masks_for(list_of_captions());
  grammar::Matcher matcher(masks);
  std::mt19937 random(1);
  double total_ms = 0, longest_ms = 0;
  constexpr int kSteps = 300;
  for (int i = 0; i < kSteps; ++i) {
    const auto start = Clock::now();
    const grammar::TokenMask& mask = matcher.mask();
    const double took_ms = milliseconds_since(start);
    total_ms += took_ms;
    longest_ms = std::max(longest_ms, took_ms);
    std::vector<int> allowed;
    for (int id = 0; id < static_cast<int>(mask.size()) * 64; ++id)
      if (grammar::contains(mask, id)) allowed.push_back(id);
    matcher.take(allowed[random() % allowed.size()]);
  }
  std::printf("masks: %.2f ms a step, %.2f ms at most, %llu of %d computed\n", total_ms / kSteps,
              longest_ms, static_cast<unsigned long long>(masks->computed()), kSteps);
}

}  // namespace

int main(int count, char** arguments) {
  const int most = count > 2 ? std::atoi(arguments[2]) : 8;
  EngineOptions options;
  options.batch_limit = most;
  Engine engine(arguments[1], {}, options);
  print_masks(engine.planner());
  decode_rate(engine, 1);
  const double one = decode_rate(engine, 1), many = decode_rate(engine, most);
  std::printf("decode: 1 sequence %.2f tokens/s, %d sequences %.2f tokens/s, %.2f times\n", one,
              most, many, many / one);
  double plain_ms = 0, schema_ms = 0;  // in turns, the first of each only warms up
  constexpr int kTurns = 4;
  for (int turn = 0; turn <= kTurns; ++turn) {
    const double plain = decode_ms_a_token(engine, nullptr);
    const double formed = decode_ms_a_token(engine, list_of_captions());
    if (turn > 0) plain_ms += plain / kTurns, schema_ms += formed / kTurns;
  }
  std::printf("schema: %.1f ms a token, %.1f without, %+.1f %%\n", schema_ms, plain_ms,
              100 * (schema_ms / plain_ms - 1));
  const auto start = Clock::now();
  print_first_token(engine, "cold", "What is it?", 0);
  const double cold_ms = milliseconds_since(start);
  print_first_token(engine, "repeated", "What is it?", cold_ms);
  print_first_token(engine, "another question", "Who comes in, and when does it end?", cold_ms);
  print_guessing(engine, "captions as JSON", video_question("List what happens."),
                 list_of_captions());
  print_guessing(engine, "free text", video_question("Describe what happens in this video."),
                 nullptr);
}
