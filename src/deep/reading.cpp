#include <algorithm>

#include "core/error.h"
#include "core/stage_output.h"
#include "deep/evidence.h"
#include "deep/language.h"
#include "deep/levels.h"
#include "document/json.h"

// The stages that read captions: chapters, summaries, highlights. The story has a file of its own.
namespace prismvid::deep {
namespace {

using document::Json;
using document::seconds;

constexpr size_t kMostChapters = 24;  // more are read again as captions of longer ones
constexpr size_t kMostHighlights = 3;
constexpr size_t kLongestTitle = 80;  // characters

struct Chapter {
  TimeRange range;
  std::string title;
};

void add_counts(const Checked& reply, StageResult& result) {
  result.tokens_in += reply.tokens_in;
  result.tokens_out += reply.tokens_out;
}

std::string title_text(const Json& item) {
  const std::string title = one_line(item.at("title").get<std::string>());
  size_t characters = 0, end = 0;
  for (; end < title.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(title[end]) & 0xC0) != 0x80;
    if (begins && characters++ == kLongestTitle) break;
  }
  return title.substr(0, end);
}

/// The shot boundary within a second of `t_us`, or `t_us`.
int64_t at_a_cut(const document::Document& known, int64_t t_us) {
  int64_t best = t_us, nearest_us = 1'000'000;
  for (const document::DocumentShot& shot : known.shots) {
    const int64_t distance_us = std::abs(shot.range.start_us - t_us);
    if (distance_us >= nearest_us) continue;
    nearest_us = distance_us;
    best = shot.range.start_us;
  }
  return best;
}

/// In order, touching each other, from the start of `range` to its end.
std::vector<Chapter> tiled(std::vector<Chapter> chapters, const TimeRange& range) {
  std::stable_sort(chapters.begin(), chapters.end(), [](const Chapter& a, const Chapter& b) {
    return a.range.start_us < b.range.start_us;
  });
  std::vector<Chapter> kept;
  for (Chapter& chapter : chapters) {
    if (kept.empty()) chapter.range.start_us = range.start_us;
    if (chapter.range.start_us >= range.end_us) continue;
    if (!kept.empty() && kept.back().range.start_us >= chapter.range.start_us) continue;
    if (!kept.empty()) kept.back().range.end_us = chapter.range.start_us;
    kept.push_back(std::move(chapter));
  }
  if (!kept.empty()) kept.back().range.end_us = range.end_us;
  return kept;
}

std::vector<Chapter> chapters_of(const Work& work, const Section& section, Losses& losses,
                                 StageResult& result) {
  const Checked reply = ask_reading(work, prompt("chapters"),
                                    {{"language", language_name(work.language)},
                                     {"captions", caption_lines(section.captions)},
                                     {"start", seconds_text(section.range.start_us)},
                                     {"end", seconds_text(section.range.end_us)}});
  add_counts(reply, result);
  check(reply.problem.empty(), ErrorCode::kModel, work.model.card().id,
        " gave no chapters that could be read: ", reply.problem);
  std::vector<Chapter> chapters;
  for (const Json& item : reply.value.at("chapters")) {
    const auto claim = claimed_range(item);
    const auto range = claim ? told_part(*claim, section.captions) : std::nullopt;
    const std::string title = title_text(item);
    if (!range)
      losses.add("chapter where nothing was shown");
    else if (title.empty())
      losses.add("chapter without a title");
    else
      chapters.push_back({{at_a_cut(work.known, range->start_us), range->end_us}, title});
  }
  return tiled(std::move(chapters), section.range);
}

std::vector<TimeRange> ranges_of(const std::vector<Caption>& captions) {
  std::vector<TimeRange> ranges;
  for (const Caption& caption : captions) ranges.push_back(caption.range);
  return ranges;
}

/// The union, in order.
std::vector<TimeRange> joined(std::vector<TimeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const TimeRange& a, const TimeRange& b) { return a.start_us < b.start_us; });
  std::vector<TimeRange> apart;
  for (const TimeRange& range : ranges) {
    if (!apart.empty() && range.start_us <= apart.back().end_us)
      apart.back().end_us = std::max(apart.back().end_us, range.end_us);
    else
      apart.push_back(range);
  }
  return apart;
}

Json chapter_json(const Chapter& chapter, const Json& by) {
  return {{"start", seconds(chapter.range.start_us)},
          {"end", seconds(chapter.range.end_us)},
          {"title", chapter.title},
          {"evidence", evidence_json({chapter.range})},
          {"by", by}};
}

/// What a text rests on: the captions that share its words, or all that it was made from.
Json evidence_of(const std::string& text, const std::vector<Caption>& captions) {
  constexpr size_t kMost = 12;
  const std::vector<Caption> support = supporting(text, captions, kMost);
  return evidence_json(support.empty() ? joined(ranges_of(captions)) : ranges_of(support));
}

std::string bullet_text(const Json& bullets) {
  std::string text;
  for (const Json& bullet : bullets)
    text += (text.empty() ? "" : "\n") + one_line(bullet.get<std::string>());
  return text;
}

struct Highlight {
  TimeRange range;
  double score;
  std::string reason;
};

std::vector<Highlight> highlights_of(const Work& work, const std::vector<Caption>& lines,
                                     const std::vector<Caption>& captions, Losses& losses,
                                     StageResult& result) {
  const Checked reply =
      ask_reading(work, prompt("highlights"),
                  {{"language", language_name(work.language)}, {"captions", caption_lines(lines)}});
  add_counts(reply, result);
  check(reply.problem.empty(), ErrorCode::kModel, work.model.card().id,
        " gave no highlights that could be read: ", reply.problem);
  std::vector<Highlight> highlights;
  for (const Json& item : reply.value.at("highlights")) {
    const auto claim = claimed_range(item);
    const auto range = claim ? told_part(*claim, captions) : std::nullopt;
    if (!range)
      losses.add("highlight where nothing was shown");
    else
      highlights.push_back(
          {*range, item.at("score").get<double>(), one_line(item.at("reason").get<std::string>())});
  }
  return highlights;
}

}  // namespace

StageResult write_chapters(const Work& work, const std::vector<Caption>& captions) {
  StageResult result;
  Losses losses;
  std::vector<Chapter> chapters;
  for (const Section& section : cut_sections(work, captions)) {
    for (Chapter& chapter : chapters_of(work, section, losses, result))
      chapters.push_back(std::move(chapter));
    work.on_progress(section.range.end_us - work.known.analysis.range.start_us);
  }
  while (chapters.size() > kMostChapters) {
    Section whole{work.known.analysis.range, {}};
    for (const Chapter& chapter : chapters)
      whole.captions.push_back({chapter.range, chapter.title});
    std::vector<Chapter> longer = chapters_of(work, whole, losses, result);
    if (longer.empty() || longer.size() >= chapters.size()) break;
    chapters = std::move(longer);
  }
  const Json by = made_by(stage::kChapters, "llm", work.model, prompt("chapters"));
  Json list = Json::array();
  for (const Chapter& chapter : chapters) list.push_back(chapter_json(chapter, by));
  result.json = {{"chapters", list}};
  result.warnings = losses.warnings(stage::kChapters);
  return result;
}

StageResult write_summaries(const Work& work, const std::vector<Caption>& captions) {
  StageResult result;
  const std::vector<Caption> lines = condensed(work, captions, result);
  const Checked reply = ask_reading(
      work, prompt("summary"),
      {{"language", language_name(work.language)}, {"captions", caption_lines(lines)}}, 2048);
  add_counts(reply, result);
  check(reply.problem.empty(), ErrorCode::kModel, work.model.card().id,
        " gave no summary that could be read: ", reply.problem);
  const Json by = made_by(stage::kSummary, "llm", work.model, prompt("summary"));
  Json summaries = Json::array();
  for (const char* kind : {"line", "short", "long", "bullets"}) {
    const Json& value = reply.value.at(kind);
    const std::string text = value.is_array() ? bullet_text(value) : value.get<std::string>();
    if (text.empty()) continue;
    summaries.push_back({{"kind", kind},
                         {"language", work.language},
                         {"text", text},
                         {"evidence", evidence_of(text, captions)},
                         {"by", by}});
  }
  result.json = {{"summaries", summaries}};
  return result;
}

StageResult write_highlights(const Work& work, const std::vector<Caption>& captions) {
  StageResult result;
  Losses losses;
  std::vector<Highlight> highlights;
  const std::vector<Section> sections = cut_sections(work, captions);
  for (const Section& section : sections) {
    for (Highlight& h : highlights_of(work, section.captions, section.captions, losses, result))
      highlights.push_back(std::move(h));
    work.on_progress(section.range.end_us - work.known.analysis.range.start_us);
  }
  if (highlights.size() > kMostHighlights) {  // the best of every section, read as captions
    std::vector<Caption> candidates;
    for (const Highlight& h : highlights) candidates.push_back({h.range, h.reason});
    candidates = condensed(work, candidates, result);
    highlights = highlights_of(work, candidates, captions, losses, result);
  }
  const Json by = made_by(stage::kHighlights, "llm", work.model, prompt("highlights"));
  Json list = Json::array();
  for (const Highlight& h : highlights)
    list.push_back({{"start", seconds(h.range.start_us)},
                    {"end", seconds(h.range.end_us)},
                    {"score", document::rounded(h.score, 4)},
                    {"reason", h.reason},
                    {"evidence", evidence_json({h.range})},
                    {"by", by}});
  result.json = {{"highlights", list}};
  result.warnings = losses.warnings(stage::kHighlights);
  return result;
}

}  // namespace prismvid::deep
