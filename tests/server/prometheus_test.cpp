#include "server/prometheus.h"

#include <gtest/gtest.h>

namespace prismvid::server {
namespace {

TEST(PrometheusText, SamplesStandBehindTheirNameAndType) {
  PrometheusText out;
  out.begin("jobs", "gauge", "Jobs by state.");
  out.sample(3, {{"state", "queued"}});
  out.sample(0, {{"state", "done"}, {"kind", "fast"}});
  out.counter("bytes_total", "Bytes.", 12345678901.0);
  EXPECT_EQ(out.text(),
            "# HELP jobs Jobs by state.\n# TYPE jobs gauge\njobs{state=\"queued\"} 3\njobs{state=\"done\",kind=\"fast\"} 0\n"
            "# HELP bytes_total Bytes.\n# TYPE bytes_total counter\nbytes_total 12345678901\n");
}

TEST(PrometheusText, WordsOfOthersCannotBreakTheFormat) {
  PrometheusText out;
  out.gauge("g", "a\\b\nc", 0.1, {{"model", "a\"} 1\n\\"}});
  EXPECT_EQ(out.text(), "# HELP g a\\\\b\\nc\n# TYPE g gauge\ng{model=\"a\\\"} 1\\n\\\\\"} 0.1\n");
}

TEST(PrometheusText, BucketsOfAHistogramCountAllBelowTheirBound) {
  Histogram seconds({0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) seconds.add(value);
  PrometheusText out;
  out.histogram("s", "Time.", seconds, {{"model", "m"}});
  EXPECT_EQ(out.text(),
            "# HELP s Time.\n# TYPE s histogram\ns_bucket{model=\"m\",le=\"0.1\"} 2\ns_bucket{model=\"m\",le=\"1\"} 3\ns_bucket{model=\"m\",le=\"+Inf\"} 4\n"
            "s_sum{model=\"m\"} 7.65\ns_count{model=\"m\"} 4\n");
}

}  // namespace
}  // namespace prismvid::server
