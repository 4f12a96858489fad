#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "document/document.h"
#include "pipeline/options.h"

namespace prismvid::server {

/// Turns an analysis's reports into a job's progress: stages with fractions, and one fraction that
/// never goes back.
class JobProgress {
 public:
  explicit JobProgress(const pipeline::AnalyzeOptions& options);

  /// True where a stage began or ended with this report.
  bool take(const pipeline::Progress& progress);
  /// {"progress":{...},"stages":[...]}, as jobs store it.
  std::string json(int64_t now_ms) const;
  const std::string& stage() const { return last_.stage; }

 private:
  struct Step {
    std::string report;               // as the analysis names it
    std::vector<std::string> stages;  // of the document that it makes
    double weight = 1;
    double fraction = 0;
    bool begun = false;
  };
  Step* find(const std::string& report);

  std::vector<Step> steps_;
  pipeline::Progress last_;
  double fraction_ = 0;
};

}  // namespace prismvid::server
