#include "deep/evidence.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "deep/words.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

constexpr int64_t kReadingTolerance_us = 500'000;  // times in prompts have one decimal

int64_t step_of(const Clip& clip) {
  if (clip.times_us.size() < 2) return clip.range.duration_us();
  const int64_t span = clip.times_us.back() - clip.times_us.front();
  return std::max<int64_t>(100'000, span / static_cast<int64_t>(clip.times_us.size() - 1));
}

std::optional<TimeRange> cut(const TimeRange& claim, const TimeRange& range, int64_t tolerance_us) {
  if (claim.start_us < range.start_us - tolerance_us || claim.end_us > range.end_us + tolerance_us)
    return std::nullopt;
  const TimeRange inside{std::max(claim.start_us, range.start_us),
                         std::min(claim.end_us, range.end_us)};
  if (inside.start_us >= inside.end_us) return std::nullopt;
  return inside;
}

std::set<std::string> word_set(const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  return {words.begin(), words.end()};
}

/// Share of the caption's words that the text has.
double shared_words(const std::set<std::string>& text, const std::set<std::string>& caption) {
  if (caption.empty()) return 0;
  const auto shared = std::count_if(caption.begin(), caption.end(),
                                    [&](const std::string& word) { return text.contains(word); });
  return static_cast<double>(shared) / static_cast<double>(caption.size());
}

}  // namespace

std::optional<TimeRange> claimed_range(const nlohmann::ordered_json& item) {
  // A model can write numbers that no time of a video is.
  constexpr double kMostSeconds = 1e9;
  for (const char* key : {"start", "end"})
    if (std::abs(item.at(key).get<double>()) > kMostSeconds) return std::nullopt;
  const TimeRange range = document::time_range(item);
  if (range.end_us < range.start_us) return std::nullopt;
  // A moment: as long as the last digit of a time.
  if (range.end_us == range.start_us) return TimeRange{range.start_us, range.end_us + 100'000};
  return range;
}

std::optional<TimeRange> shown_part(const TimeRange& claim, const Clip& clip) {
  const int64_t step = step_of(clip);
  const auto inside = cut(claim, clip.range, step);
  if (!inside) return std::nullopt;
  const bool seen = std::any_of(clip.times_us.begin(), clip.times_us.end(), [&](int64_t t) {
    return t >= inside->start_us - step && t <= inside->end_us + step;
  });
  return seen ? inside : std::nullopt;
}

std::optional<TimeRange> told_part(const TimeRange& claim, const std::vector<Caption>& captions) {
  if (captions.empty()) return std::nullopt;
  TimeRange whole = captions.front().range;
  bool touched = false;
  for (const Caption& caption : captions) {
    whole.start_us = std::min(whole.start_us, caption.range.start_us);
    whole.end_us = std::max(whole.end_us, caption.range.end_us);
    touched |= caption.range.start_us < claim.end_us && claim.start_us < caption.range.end_us;
  }
  return touched ? cut(claim, whole, kReadingTolerance_us) : std::nullopt;
}

std::vector<Caption> supporting(const std::string& text, const std::vector<Caption>& captions,
                                size_t most, std::optional<TimeRange> range) {
  constexpr double kLeastShared = 0.6;
  const std::set<std::string> words = word_set(text);
  std::vector<std::pair<double, size_t>> ranked;
  for (size_t i = 0; i < captions.size(); ++i) {
    const TimeRange& told = captions[i].range;
    if (range && (told.start_us >= range->end_us || range->start_us >= told.end_us)) continue;
    const double share = shared_words(words, word_set(captions[i].text));
    if (share >= kLeastShared) ranked.push_back({-share, i});
  }
  std::stable_sort(ranked.begin(), ranked.end());
  // Sentences of one form share words with every other: only the best and their like count.
  if (!ranked.empty())
    std::erase_if(ranked,
                  [best = ranked.front().first](const auto& r) { return r.first > 0.9 * best; });
  if (ranked.size() > most) ranked.resize(most);
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Caption> chosen;
  for (const auto& [share, i] : ranked) chosen.push_back(captions[i]);
  return chosen;
}

document::Json evidence_json(const std::vector<TimeRange>& ranges) {
  document::Json list = document::Json::array();
  for (const TimeRange& range : ranges)
    list.push_back(
        {{"start", document::seconds(range.start_us)}, {"end", document::seconds(range.end_us)}});
  return list;
}

}  // namespace prismvid::deep
