// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/text_format.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace lunscope {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The digits that prometheus-cpp prints. One more would keep every double apart.
constexpr int kDigits = 16;
constexpr double kMaxInteger = 1e15;

void AppendValue(double value, std::string& page) {
  char digits[32];
  std::to_chars_result end{};
  if (std::isnan(value)) {
    page += "Nan";
    return;
  }
  if (std::isinf(value)) {
    page += value < 0 ? "-Inf" : "+Inf";
    return;
  }
  // Most values are counts, and an integer is written much faster than a double.
  const auto integer = static_cast<int64_t>(std::abs(value) < kMaxInteger ? value : 0.5);
  if (static_cast<double>(integer) == value && !std::signbit(value)) {
    end = std::to_chars(std::begin(digits), std::end(digits), integer);
  } else {
    end = std::to_chars(std::begin(digits), std::end(digits), value, std::chars_format::general,
                        kDigits);
  }
  page.append(digits, end.ptr);
}

void AppendEscaped(std::string_view value, std::string& page) {
  for (const char c : value) {
    if (c == '\n' || c == '\\' || c == '"') page += '\\';
    page += c == '\n' ? 'n' : c;
  }
}

// role="target",target="iqn.disk": without the braces.
std::string LabelsOf(const ClientMetric& metric) {
  std::string text;
  for (const ClientMetric::Label& label : metric.label) {
    if (!text.empty()) text += ',';
    text += label.name;
    text += "=\"";
    AppendEscaped(label.value, text);
    text += '"';
  }
  return text;
}

// name_suffix{labels,le="bound"} value
class Line {
 public:
  Line(const std::string& name, const std::string& labels, std::string& page)
      : name_(name), labels_(labels), page_(page) {}

  void Append(std::string_view suffix, double value) const {
    Begin(suffix, !labels_.empty());
    if (!labels_.empty()) page_ += '}';
    End(value);
  }
  void AppendBucket(double bound, double count) const {
    Begin("_bucket", true);
    if (!labels_.empty()) page_ += ',';
    page_ += "le=\"";
    AppendValue(bound, page_);
    page_ += "\"}";
    End(count);
  }

 private:
  void Begin(std::string_view suffix, bool has_labels) const {
    page_ += name_;
    page_ += suffix;
    if (has_labels) page_ += '{';
    page_ += labels_;
  }
  void End(double value) const {
    page_ += ' ';
    AppendValue(value, page_);
    page_ += '\n';
  }

  const std::string& name_;
  const std::string& labels_;
  std::string& page_;
};

void AppendHistogram(const Line& line, const ClientMetric::Histogram& histogram) {
  line.Append("_count", static_cast<double>(histogram.sample_count));
  line.Append("_sum", histogram.sample_sum);
  for (const ClientMetric::Bucket& bucket : histogram.bucket)
    line.AppendBucket(bucket.upper_bound, static_cast<double>(bucket.cumulative_count));
}

}  // namespace

const char* TypeName(MetricType type) {
  switch (type) {
    case MetricType::Counter: return "counter";
    case MetricType::Histogram: return "histogram";
    default: return "gauge";
  }
}

void AppendText(const MetricFamily& family, std::string& page) {
  if (!family.help.empty()) page += "# HELP " + family.name + " " + family.help + "\n";
  page += "# TYPE " + family.name + " " + TypeName(family.type) + "\n";
  for (const ClientMetric& metric : family.metric) {
    const std::string labels = LabelsOf(metric);
    const Line line(family.name, labels, page);
    switch (family.type) {
      case MetricType::Counter: line.Append("", metric.counter.value); break;
      case MetricType::Histogram: AppendHistogram(line, metric.histogram); break;
      default: line.Append("", metric.gauge.value);
    }
  }
}

}  // namespace lunscope
