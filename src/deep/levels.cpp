#include "deep/levels.h"

#include "core/error.h"
#include "deep/language.h"

namespace prismvid::deep {

std::vector<Section> cut_sections(const Work& work, const std::vector<Caption>& captions) {
  const int budget = work.model.feeding().reading_tokens;
  std::vector<Section> sections;
  int used = 0;
  for (const Caption& caption : captions) {
    const int tokens = work.model.count_tokens(caption_lines({caption})) + 1;
    if (sections.empty() || used + tokens > budget) {
      sections.push_back({caption.range, {}});
      used = 0;
    }
    used += tokens;
    sections.back().captions.push_back(caption);
  }
  const TimeRange& whole = work.known.analysis.range;
  for (size_t i = 0; i < sections.size(); ++i) {
    if (i == 0) sections[i].range.start_us = whole.start_us;
    sections[i].range.end_us =
        i + 1 < sections.size() ? sections[i + 1].range.start_us : whole.end_us;
  }
  return sections;
}

std::vector<Caption> condensed(const Work& work, const std::vector<Caption>& captions,
                               StageResult& result) {
  std::vector<Caption> level = captions;
  for (;;) {
    const std::vector<Section> sections = cut_sections(work, level);
    if (sections.size() <= 1) return level;
    check(sections.size() < level.size(), ErrorCode::kModel,
          "the model's reading budget is too small for a single caption");
    std::vector<Caption> shorter;
    for (const Section& section : sections) {
      const Checked reply = ask_reading(work, prompt("summary"),
                                        {{"language", language_name(work.language)},
                                         {"captions", caption_lines(section.captions)}});
      result.tokens_in += reply.tokens_in;
      result.tokens_out += reply.tokens_out;
      check(reply.problem.empty(), ErrorCode::kModel,
            "a part of the captions could not be summed up: ", reply.problem);
      shorter.push_back({section.range, reply.value.at("short").get<std::string>()});
    }
    level = std::move(shorter);
  }
}

}  // namespace prismvid::deep
