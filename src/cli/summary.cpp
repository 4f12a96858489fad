#include "cli/summary.h"

#include <cstdio>
#include <iostream>
#include <sstream>

#include "cli/command.h"

namespace prismvid::cli {
namespace {

using document::StageStatus;

bool decoded_anything(const document::Document& document) {
  for (const document::Stage& stage : document.analysis.stages)
    if (stage.status == StageStatus::kDone && stage.frames > 0) return true;
  return false;
}

}  // namespace

std::string summarize(const document::Document& document) {
  std::ostringstream text;
  text << document.video.name << ": ";
  for (const document::Summary& summary : document.summaries)
    if (summary.kind == "line") text << summary.text;
  text << "\n  " << document.analysis.status;
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
  for (const document::Stage& stage : document.analysis.stages) {
    if (!stage.error) continue;
    const bool failed = stage.status == StageStatus::kFailed;
    if (failed && code == 0) code = exit_code(ErrorCode::kModel);
    if (failed) {
      print_error(Error(ErrorCode::kModel, stage.name + ": " + stage.error->message), as_json);
    } else if (!as_json) {
      std::cerr << "prismvid: " << stage.name << " unavailable: " << stage.error->message << '\n';
    }
  }
  return code;
}

}  // namespace prismvid::cli
