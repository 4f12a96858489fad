#include "vision/models/manifest_fields.h"

namespace prismvid::vision {
namespace {

constexpr size_t kMostWholeNumbers = 16;

}  // namespace

bool ManifestFields::flag(const char* name, bool fallback) const {
  const auto field = object_.find(name);
  if (field == object_.end()) return fallback;
  check(field->is_boolean(), ErrorCode::kModel, where_, "'", name, "' must be true or false");
  return field->get<bool>();
}

std::string ManifestFields::choice(const char* name,
                                   const std::vector<std::string>& choices) const {
  const auto field = object_.find(name);
  if (field == object_.end()) return choices.front();
  std::string known;
  for (const std::string& each : choices) {
    if (*field == each) return each;
    known += (known.empty() ? "" : ", ") + each;
  }
  fail(ErrorCode::kModel, where_, "'", name, "' is ", field->dump(), ", must be one of: ", known);
}

std::array<float, 3> ManifestFields::channels(const char* name, float fallback) const {
  const auto field = object_.find(name);
  if (field == object_.end()) return {fallback, fallback, fallback};
  if (field->is_number()) {
    const float value = field->get<float>();
    return {value, value, value};
  }
  bool fits = field->is_array() && field->size() == 3;
  for (size_t i = 0; fits && i < 3; ++i) fits = (*field)[i].is_number();
  check(fits, ErrorCode::kModel, where_, "'", name, "' must be a number or three numbers");
  return field->get<std::array<float, 3>>();
}

std::vector<int> ManifestFields::whole_numbers(const char* name, const std::vector<int>& fallback,
                                               int least, int most) const {
  const auto field = object_.find(name);
  if (field == object_.end()) return fallback;
  std::vector<int> values;
  bool fits = field->is_array() && !field->empty() && field->size() <= kMostWholeNumbers;
  for (size_t i = 0; fits && i < field->size(); ++i) {
    const auto& value = (*field)[i];
    fits = value.is_number_integer() && value.get<double>() >= least && value.get<double>() <= most;
    if (fits) values.push_back(value.get<int>());
  }
  check(fits, ErrorCode::kModel, where_, "'", name, "' must be a list of 1 to ", kMostWholeNumbers,
        " whole numbers from ", least, " to ", most);
  return values;
}

std::vector<std::string> ManifestFields::names(const char* name) const {
  const auto field = object_.find(name);
  bool fits = field != object_.end() && field->is_array() && !field->empty();
  std::vector<std::string> names;
  for (size_t i = 0; fits && i < field->size(); ++i) {
    fits = (*field)[i].is_string();
    if (fits) names.push_back((*field)[i].get<std::string>());
  }
  check(fits, ErrorCode::kModel, where_, "'", name, "' must be a list of names");
  return names;
}

ManifestFields ManifestFields::object(const char* name) const {
  const auto field = object_.find(name);
  check(field != object_.end() && field->is_object(), ErrorCode::kModel, where_, "'", name,
        "' must be an object");
  return {*field, where_};
}

}  // namespace prismvid::vision
