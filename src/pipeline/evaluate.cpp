#include "pipeline/evaluate.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "deep/clip.h"
#include "deep/evidence.h"
#include "deep/language.h"
#include "deep/replies.h"
#include "document/json.h"
#include "media/open_video.h"
#include "pipeline/analyzer.h"
#include "pipeline/questions.h"
#include "version.h"

namespace prismvid::pipeline {
namespace {

using document::Json;

/// What was answered, before it is scored.
struct Given {
  std::string answer;
  std::optional<bool> shown;
  std::vector<TimeRange> evidence;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  std::string problem;  // why there is no answer
};

std::string choice_lines(const std::vector<std::string>& choices) {
  std::string lines;
  for (size_t i = 0; i < choices.size(); ++i)
    lines += (i == 0 ? "" : "\n") + std::string(1, static_cast<char>('A' + i)) + ". " +
             deep::one_line(choices[i]);
  return lines;
}

/// "A", "B", ... as a schema's list of what is allowed.
nlohmann::ordered_json letters(size_t count) {
  auto list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < count; ++i) list.push_back(std::string(1, static_cast<char>('A' + i)));
  return list;
}

/// `count` times in the middles of equal parts.
std::vector<int64_t> even_times(const TimeRange& range, int count) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i)
    times.push_back(range.start_us + range.duration_us() * (2 * i + 1) / (2 * count));
  return times;
}

class Evaluation {
 public:
  Evaluation(const std::string& model, const EvalOptions& options, const EvalContext& context)
      : options_(options),
        context_(context),
        search_(context.models),
        choice_(context.deep_models.choose(model)),
        model_(context.deep_models.open(choice_)),
        name_(model) {}

  Json run(const std::vector<EvalItem>& items) {
    Json list = Json::array();
    for (size_t i = 0; i < items.size(); ++i) {
      check(!context_.stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
      list.push_back(score(items[i], answer(items[i])));
      context_.on_progress(i + 1, items.size());
    }
    Json report = {{"score", share("all")}, {"scores", Json::object()}, {"settings", settings()}};
    for (const auto& [kind, counts] : counts_)
      report["scores"][kind] = {
          {"right", counts.first}, {"of", counts.second}, {"share", share(kind)}};
    report["items"] = std::move(list);
    return report;
  }

 private:
  Given answer(const EvalItem& item) {
    try {
      return options_.analysed && item.choices.empty() ? answer_analysed(item)
                                                       : answer_from_frames(item);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kStore) throw;
      Given given;
      given.problem = error.what();
      return given;
    }
  }

  Given answer_from_frames(const EvalItem& item) {
    const TimeRange whole{0, media::open_video(item.video)->info().duration_us};
    const TimeRange range = item.range.value_or(whole);
    const bool free = item.choices.empty();
    deep::PromptValues values = {{"question", deep::one_line(item.question)}, {"facts", "none"}};
    values.push_back(
        free ? std::pair<std::string_view, std::string>{"language",
                                                        deep::language_name(options_.language)}
             : std::pair<std::string_view, std::string>{"choices", choice_lines(item.choices)});
    deep::Request request =
        deep::request_of(deep::prompt(free ? "question" : "choice"), values, 512);
    if (!free) request.schema["properties"]["choice"]["enum"] = letters(item.choices.size());
    request.temperature = options_.temperature;
    request.seed = options_.seed;
    request.clip = deep::ClipReader(item.video, "", *model_, deep::FrameSearch::kAllTimes)
                       .read(range, even_times(range, options_.frames), context_.stop);
    const deep::Checked reply = deep::ask_checked(*model_, request, context_.stop);
    Given given;
    given.tokens_in = reply.tokens_in;
    given.tokens_out = reply.tokens_out;
    given.problem = reply.problem;
    if (!reply.problem.empty()) return given;
    given.answer = reply.value.at(free ? "answer" : "choice").get<std::string>();
    if (!free) return given;
    given.shown = reply.value.at("shown").get<bool>();
    for (const auto& claim : reply.value.at("evidence"))
      if (const auto range_shown = deep::claimed_range(claim))
        given.evidence.push_back(*range_shown);
    return given;
  }

  Given answer_analysed(const EvalItem& item) {
    AnalyzeOptions analysis;
    analysis.features = {"shots", "scenes", "ocr", "objects"};
    analysis.detector = options_.detector;
    analysis.deep.mode = DeepMode::kOn;
    analysis.deep.model = name_;
    analysis.deep.language = options_.language;
    analysis.deep.features = {stage::kCaption};
    const std::string id = Analyzer(context_.store, context_.models, &context_.deep_models)
                               .analyze(item.video, analysis, {}, context_.stop)
                               .video.id;
    deep::AskOptions ask;
    ask.language = options_.language;
    ask.range = item.range;
    const deep::Answer answer = Questions(context_.store, search_, &context_.deep_models)
                                    .ask({id}, item.question, name_, ask, context_.stop);
    Given given;
    given.answer = answer.text;
    given.shown = answer.shown;
    for (const deep::Citation& citation : answer.citations)
      given.evidence.push_back(citation.range);
    given.tokens_in = answer.tokens_in;
    given.tokens_out = answer.tokens_out;
    if (answer.degraded) given.problem = answer.degraded->message;
    return given;
  }

  bool is_right(const EvalItem& item, const Given& given) const {
    if (!given.problem.empty()) return false;
    if (!item.choices.empty())
      return chosen_letter(given.answer, item.choices.size()) == item.answer;
    if (item.shown == false) return given.shown == false;
    return normalized_answer(given.answer) == normalized_answer(item.answer);
  }

  void count(const std::string& kind, bool right) {
    counts_[kind].first += right ? 1 : 0;
    counts_[kind].second += 1;
  }

  double share(const std::string& kind) const {
    const auto found = counts_.find(kind);
    if (found == counts_.end()) return 0;
    return document::rounded(static_cast<double>(found->second.first) / found->second.second, 4);
  }

  Json score(const EvalItem& item, const Given& given) {
    const bool right = is_right(item, given);
    count("all", right);
    if (!item.kind.empty()) count(item.kind, right);
    if (item.shown == false) count("not shown recognised", right);
    Json json = {{"id", item.id},
                 {"question", item.question},
                 {"wanted", item.answer},
                 {"answer", given.answer},
                 {"right", right}};
    if (given.shown) json["shown"] = *given.shown;
    if (!given.evidence.empty()) json["evidence"] = deep::evidence_json(given.evidence);
    if (!item.evidence.empty() && item.shown != false) {
      const bool cited = cites(given.evidence, item.evidence);
      count("cites the right time", cited);
      json["cited"] = cited;
    }
    json["tokens_in"] = given.tokens_in;
    json["tokens_out"] = given.tokens_out;
    if (!given.problem.empty()) json["problem"] = given.problem;
    return json;
  }

  /// Something is cited, and all of it touches what is right.
  static bool cites(const std::vector<TimeRange>& given, const std::vector<TimeRange>& wanted) {
    return !given.empty() && std::all_of(given.begin(), given.end(), [&](const TimeRange& claim) {
      return std::any_of(wanted.begin(), wanted.end(), [&](const TimeRange& right) {
        return claim.start_us < right.end_us && right.start_us < claim.end_us;
      });
    });
  }

  Json settings() const {
    const document::StageModel& card = model_->card();
    const deep::Feeding& feeding = model_->feeding();
    Json settings = {{"program", kVersion},
                     {"model", card.id},
                     {"model_sha256", card.sha256},
                     {"quant", card.quantization},
                     {"backend", card.backend},
                     {"method", options_.analysed ? "analysed" : "frames"},
                     {"frame_tokens", feeding.frame_tokens},
                     {"language", options_.language},
                     {"temperature", document::rounded(options_.temperature, 3)},
                     {"seed", options_.seed}};
    if (options_.analysed)
      settings["fps"] = feeding.frames_per_second;
    else
      settings["frames"] = options_.frames;
    for (const char* name : {"question", "choice", "captions"})
      settings["prompts"][name] = deep::prompt(name).sha256;
    return settings;
  }

  const EvalOptions& options_;
  const EvalContext& context_;
  LibrarySearch search_;
  deep::ModelChoice choice_;
  std::shared_ptr<deep::Model> model_;
  std::string name_;
  std::map<std::string, std::pair<int, int>> counts_;  // kind: right, all
};

}  // namespace

Json evaluate(const std::vector<EvalItem>& items, const std::string& model,
              const EvalOptions& options, const EvalContext& context) {
  return Evaluation(model, options, context).run(items);
}

}  // namespace prismvid::pipeline
