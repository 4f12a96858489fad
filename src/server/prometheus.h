#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/histogram.h"

namespace prismvid::server {

/// Writes metrics in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
class PrometheusText {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// Begins a metric: `name` and `type` (counter, gauge) go before its samples.
  void begin(const std::string& name, const std::string& type, const std::string& help);
  /// A sample of the metric that was begun last.
  void sample(double value, const Labels& labels = {});
  /// A metric of one sample.
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void histogram(const std::string& name, const std::string& help, const Histogram& values, const Labels& labels = {});

  std::string text() const { return out_.str(); }

 private:
  void line(const std::string& name, double value, const Labels& labels);

  std::ostringstream out_;
  std::string name_;
};

}  // namespace prismvid::server
