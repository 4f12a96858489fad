#include "server/prometheus.h"

#include <charconv>
#include <cmath>

namespace prismvid::server {
namespace {

std::string escaped(const std::string& text, bool in_label) {
  std::string safe;
  for (const char c : text) {
    if (c == '\n') safe += "\\n";
    else if (c == '\\' || (in_label && c == '"')) safe += std::string("\\") + c;
    else safe += c;
  }
  return safe;
}

/// The shortest text that is read as this number again.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

void PrometheusText::begin(const std::string& name, const std::string& type, const std::string& help) {
  out_ << "# HELP " << name << ' ' << escaped(help, false) << "\n# TYPE " << name << ' ' << type << '\n';
  name_ = name;
}

void PrometheusText::line(const std::string& name, double value, const Labels& labels) {
  out_ << name;
  const char* separator = "{";
  for (const auto& [label, text] : labels) {
    out_ << separator << label << "=\"" << escaped(text, true) << '"';
    separator = ",";
  }
  out_ << (labels.empty() ? " " : "} ") << number(value) << '\n';
}

void PrometheusText::sample(double value, const Labels& labels) { line(name_, value, labels); }

void PrometheusText::gauge(const std::string& name, const std::string& help, double value, const Labels& labels) {
  begin(name, "gauge", help);
  sample(value, labels);
}

void PrometheusText::counter(const std::string& name, const std::string& help, double value, const Labels& labels) {
  begin(name, "counter", help);
  sample(value, labels);
}

void PrometheusText::histogram(const std::string& name, const std::string& help, const Histogram& values, const Labels& labels) {
  begin(name, "histogram", help);
  uint64_t up_to_here = 0;
  for (size_t i = 0; i < values.counts().size(); ++i) {
    up_to_here += values.counts()[i];
    Labels bounded = labels;
    bounded.emplace_back("le", i < values.bounds().size() ? number(values.bounds()[i]) : "+Inf");
    line(name + "_bucket", static_cast<double>(up_to_here), bounded);
  }
  line(name + "_sum", values.sum(), labels);
  line(name + "_count", static_cast<double>(up_to_here), labels);
}

}  // namespace prismvid::server
