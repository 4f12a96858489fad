#include "cli/summary.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "cli/command.h"
#include "core/media_time.h"
#include "document/build.h"
#include "document/json.h"

namespace prismvid::cli {
namespace {

using document::StageStatus;

bool decoded_anything(const document::Document& document) {
  for (const document::Stage& stage : document.analysis.stages)
    if (stage.status == StageStatus::kDone && stage.frames > 0) return true;
  return false;
}

std::string clock_of(const document::Json& item) { return format_clock(document::microseconds(item.at("start"))); }

/// "    0:04.500  climax  The star hides."
void print_rows(std::ostream& text, const document::Json& items, const std::vector<const char*>& keys) {
  for (const document::Json& item : items) {
    text << "    " << clock_of(item);
    for (const char* key : keys) text << "  " << item.value(key, "");
    text << '\n';
  }
}

/// What the deep stage wrote; nothing where it did not run.
void print_deep(std::ostream& text, const document::Document& document) {
  if (const document::Summary* summary = document::best_summary(document, "short")) text << "\n  " << summary->text;
  text << '\n';
  if (!document.chapters.empty()) text << "  chapters\n";
  print_rows(text, document.chapters, {"title"});
  if (document.story.is_object() && document.story.value("applicable", false)) {
    for (const document::Json& arc : document.story.at("arcs")) {
      text << "  story: " << arc.value("title", "") << '\n';
      print_rows(text, arc.at("beats"), {"kind", "text"});
    }
  }
  if (!document.highlights.empty()) text << "  highlights\n";
  print_rows(text, document.highlights, {"reason"});
  if (!document.captions.empty()) text << "  " << document.captions.size() << " captions (prismvid export --format captions)\n";
}

/// Stages without a result for one reason.
struct Missing {
  std::string names;  // with commas
  StageStatus status;
  std::string reason;
};

std::vector<Missing> missing_stages(const document::Document& document) {
  std::vector<Missing> all;
  for (const document::Stage& stage : document.analysis.stages) {
    if (!stage.error) continue;
    const auto same = std::find_if(all.begin(), all.end(), [&](const Missing& missing) {
      return missing.status == stage.status && missing.reason == stage.error->message;
    });
    if (same == all.end())
      all.push_back({stage.name, stage.status, stage.error->message});
    else
      same->names += ", " + stage.name;
  }
  return all;
}

}  // namespace

std::string summarize(const document::Document& document) {
  std::ostringstream text;
  text << document.video.name << ": ";
  if (const document::Summary* line = document::best_summary(document, "line")) text << line->text;
  print_deep(text, document);
  text << "  " << document.analysis.status;
  char number[64];
  std::snprintf(number, sizeof number, " in %.2f s", document.analysis.wall_seconds);
  text << number;
  if (!decoded_anything(document)) {
    text << ", answered from the database";
  } else if (document.analysis.realtime_factor > 0) {
    std::snprintf(number, sizeof number, " (%.1fx real time)", document.analysis.realtime_factor);
    text << number;
  }
  text << "; id " << document.video.id << '\n';
  return text.str();
}

int report_stages(const document::Document& document, bool as_json) {
  for (const document::Warning& warning : document.analysis.warnings)
    if (!as_json) std::cerr << "prismvid: warning: " << document.video.name << ": " << warning.message << '\n';
  int code = 0;
  for (const Missing& missing : missing_stages(document)) {
    const bool failed = missing.status == StageStatus::kFailed;
    if (failed && code == 0) code = exit_code(ErrorCode::kModel);
    if (failed) {
      print_error(Error(ErrorCode::kModel, missing.names + ": " + missing.reason), as_json);
    } else if (!as_json) {
      std::cerr << "prismvid: " << missing.names << " unavailable: " << missing.reason << '\n';
    }
  }
  return code;
}

}  // namespace prismvid::cli
