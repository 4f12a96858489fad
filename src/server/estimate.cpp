#include "server/estimate.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "document/json.h"
#include "pipeline/options.h"
#include "server/document_cache.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr size_t kMostDocuments = 20;  // the newest

bool is_deep(const std::string& stage) {
  const auto& deep = pipeline::kDeepFeatures;
  return std::find(deep.begin(), deep.end(), stage) != deep.end();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

Json estimate(double duration_seconds, bool deep, DocumentCache& documents) {
  std::map<std::string, std::vector<double>> shares;  // seconds of work for a second of film
  size_t analyses = 0;
  for (const auto& card : documents.cards()) {
    if (analyses == kMostDocuments) break;
    if (card->duration_us == 0) continue;
    const auto published = documents.get(card->id);
    const double seconds = static_cast<double>(published->document.analysis.range.duration_us()) / 1e6;
    if (seconds <= 0) continue;
    ++analyses;
    for (const document::Stage& stage : published->document.analysis.stages)
      if (stage.wall_ms > 0 && (deep || !is_deep(stage.name)))
        shares[stage.name].push_back(static_cast<double>(stage.wall_ms) / 1000 / seconds);
  }
  Json stages = Json::array();
  double all = 0;
  for (const auto& [name, values] : shares) {
    const double seconds = median(values) * duration_seconds;
    all += seconds;
    stages.push_back({{"name", name}, {"seconds", document::rounded(seconds, 2)}});
  }
  return {{"seconds", stages.empty() ? Json() : Json(document::rounded(all, 2))}, {"stages", stages}, {"analyses", analyses}};
}

}  // namespace prismvid::server
