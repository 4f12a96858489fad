#include "server/document_cache.h"

#include <algorithm>

#include "core/sha256.h"
#include "document/build.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "store/open_store.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr size_t kMostDocuments = 32;
constexpr size_t kEtagDigits = 32;

/// "faces/track_3.jpg" and the like, wherever they stand.
void name_pictures(Json& json, const std::string& base) {
  if (json.is_array())
    for (Json& item : json) name_pictures(item, base);
  if (!json.is_object()) return;
  for (auto& [key, value] : json.items()) {
    if (key == "thumb" && value.is_string() && !value.get_ref<const std::string&>().empty())
      value = base + "/pictures/" + value.get<std::string>();
    else if (key == "image" && value.is_string() && json.contains("id"))
      value = base + "/keyframes/" + json["id"].get<std::string>() + ".jpg";
    else
      name_pictures(value, base);
  }
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// A keyframe from the middle says more than the first, which is often black.
std::string thumb_of(const document::Document& document) {
  if (document.shots.empty()) return "";
  const auto& keyframes = document.shots[document.shots.size() / 2].keyframes;
  if (keyframes.empty()) return "";
  return "/v1/videos/" + document.video.id + "/keyframes/" + keyframes.front().id + ".jpg";
}

std::string words_of(const document::Document& document) {
  std::string words = document.video.name;
  for (const auto& text : document.texts) words += "\n" + text.text;
  for (const auto& caption : document.captions) words += "\n" + caption.value("text", "");
  if (document.transcript)
    for (const auto& segment : document.transcript->segments) words += "\n" + segment.text;
  return lower_case(words);
}

Card make_card(const document::Document& document, const store::LibraryEntry& entry) {
  Card card{document.video.id,       document.video.name, entry.added_at, document.analysis.status,
            document.analysis.profile, "", thumb_of(document), document.video.duration_us,
            document.video.picture.width, document.video.picture.height, {}, {}, document.video.tags,
            words_of(document)};
  if (const auto* line = document::best_summary(document, "line")) card.line = line->text;
  for (const auto& object : document.objects) card.labels.push_back(object.label);
  for (const auto& label : document.labels) card.labels.push_back(label.name);
  for (const auto& person : document.people) card.people.push_back(person.id);
  return card;
}

}  // namespace

Json published_json(const document::Document& document) {
  Json json = document::to_json(document);
  const std::string base = "/v1/videos/" + document.video.id;
  name_pictures(json, base);
  for (Json& artifact : json["artifacts"])
    if (artifact.value("kind", "") == "tracks") artifact["href"] = base + "/tracks.bin";
  return json;
}

DocumentCache::DocumentCache(StorePool& stores, const store::Address& database) : stores_(stores) {
  stores_.borrow();  // makes the database where there is none
  view_ = store::open_library_view(database);
}

int64_t DocumentCache::version() {
  const std::lock_guard lock(mutex_);
  return view_->version();
}

std::shared_ptr<const Published> DocumentCache::get(const std::string& video_id) {
  const int64_t version = this->version();
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry.first == video_id; });
    if (found != entries_.end() && found->second.version == version) {
      entries_.splice(entries_.begin(), entries_, found);
      return found->second.published;
    }
  }
  auto published = std::make_shared<Published>();
  published->document = pipeline::latest_document(*stores_.borrow(), video_id);
  published->json = published_json(published->document);
  published->text = document::to_text(published->json);
  published->etag = "\"" + sha256_hex(published->text).substr(0, kEtagDigits) + "\"";
  const std::lock_guard lock(mutex_);
  entries_.remove_if([&](const auto& entry) { return entry.first == video_id; });
  entries_.emplace_front(video_id, Entry{version, published});
  if (entries_.size() > kMostDocuments) entries_.pop_back();
  return published;
}

std::vector<std::shared_ptr<const Card>> DocumentCache::cards() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Card>> cards;
  std::unordered_map<std::string, std::shared_ptr<const Card>> known;
  for (const store::LibraryEntry& entry : view_->entries()) {
    const std::string key = entry.video_id + "/" + entry.analysis_id;
    auto card = cards_[key];
    if (!card && entry.analysis_id.empty()) {
      const std::string name = std::filesystem::path(entry.path).filename().string();
      card = std::make_shared<Card>(Card{entry.video_id, name, entry.added_at, "queued", "", "", "", 0, 0, 0, {}, {}, {}, lower_case(name)});
    } else if (!card) {
      const auto record = stores_.borrow()->find_document(entry.analysis_id);
      if (!record) continue;  // deleted since
      card = std::make_shared<Card>(make_card(document::parse_document(record->json), entry));
    }
    known[key] = card;
    cards.push_back(std::move(card));
  }
  cards_ = std::move(known);
  return cards;
}

}  // namespace prismvid::server
