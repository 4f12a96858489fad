#include "document/check.h"

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "document/build_parts.h"

namespace prismvid::document {

namespace {

/// Times as a breach tells them: put into words only when there is one.
struct At {
  int64_t t_us;
};
std::ostream& operator<<(std::ostream& out, At at) {
  return out << to_text(seconds(at.t_us));
}

struct Shown {
  TimeRange range;
};
std::ostream& operator<<(std::ostream& out, const Shown& shown) {
  return out << "[" << At{shown.range.start_us} << ", " << At{shown.range.end_us} << ")";
}

/// Collects the breaches; each method is one group of rules.
class Checker {
 public:
  Checker(const Document& document, const CheckOptions& options)
      : d_(document), options_(options) {}

  std::vector<std::string> run() {
    video_and_range();
    ids();
    shots();
    keyframes();
    scenes();
    markers();
    objects();
    people();
    texts();
    labels();
    transcript();
    generated();
    status();
    return std::move(breaches_);
  }

 private:
  template <typename... Parts>
  void expect(bool holds, const Parts&... parts) {
    if (holds) return;
    std::ostringstream sentence;
    (sentence << ... << parts);
    breaches_.push_back(sentence.str());
  }

  bool known(const std::string& id) const { return ids_.contains(id); }

  void reference(const std::string& id, const std::string& from) {
    expect(id.empty() || known(id), from, " refers to ", id, ", which does not exist");
  }

  void inside(const TimeRange& range, const std::string& what) {
    const TimeRange& whole = d_.analysis.range;
    expect(range.start_us < range.end_us, what, " has the empty range ", Shown{range});
    expect(range.start_us >= whole.start_us && range.end_us <= whole.end_us, what, " ",
           Shown{range}, " lies outside the analysed range ", Shown{whole});
  }

  void unit(double value, const std::string& what) {
    expect(value >= 0 && value <= 1, what, " is ", value, ", not within 0..1");
  }

  void add_id(const std::string& id, const std::string& what) {
    static const std::string digits = "0123456789";
    const size_t bar = id.find('_');
    bool well_formed = bar != std::string::npos && bar >= 1 && bar <= 4 && id.size() > bar + 1 &&
                       id.size() <= bar + 41;
    for (size_t i = 0; well_formed && i < id.size(); ++i) {
      const char c = id[i];
      const bool lower = c >= 'a' && c <= 'z';
      const bool other = (c >= 'A' && c <= 'Z') || digits.find(c) != std::string::npos;
      well_formed = i == bar || lower || (i > bar && other);
    }
    expect(well_formed, "the id '", id, "' of ", what, " is not of the form x_1");
    expect(ids_.insert(id).second, "the id ", id, " is used twice");
  }

  void video_and_range() {
    const TimeRange& range = d_.analysis.range;
    expect(range.start_us >= 0 && range.start_us < range.end_us, "the analysed range is ",
           Shown{range});
    expect(range.end_us <= d_.video.duration_us, "the analysed range ", Shown{range},
           " ends after the video, which lasts ", At{d_.video.duration_us});
  }

  void ids() {
    add_id(d_.video.id, "the video");
    add_id(d_.analysis.id, "the analysis");
    for (const auto& s : d_.shots) {
      add_id(s.id, "a shot");
      for (const auto& k : s.keyframes) add_id(k.id, "a keyframe");
    }
    for (const auto& s : d_.scenes) add_id(s.id, "a scene");
    for (const auto& o : d_.objects) add_id(o.id, "an object");
    for (const auto& p : d_.people) add_id(p.id, "a person");
    for (const auto& t : d_.texts) add_id(t.id, "a text");
    if (d_.transcript)
      for (const auto& s : d_.transcript->segments) add_id(s.id, "a transcript segment");
    for (const auto& e : d_.edits) add_id(e.id, "an edit");
    const Json arcs = d_.story.is_object() ? d_.story.value("arcs", Json::array()) : Json::array();
    for (const Json* list : {&d_.captions, &d_.chapters, &arcs})
      for (const Json& item : *list) add_id(item.value("id", ""), "a caption or chapter");
  }

  void shots() {
    if (d_.shots.empty()) return;
    expect(d_.shots.front().range.start_us == d_.analysis.range.start_us,
           "the first shot starts at ", At{d_.shots.front().range.start_us},
           ", the analysed range at ", At{d_.analysis.range.start_us});
    expect(d_.shots.back().range.end_us == d_.analysis.range.end_us, "the last shot ends at ",
           At{d_.shots.back().range.end_us}, ", the analysed range at ",
           At{d_.analysis.range.end_us});
    for (size_t i = 0; i < d_.shots.size(); ++i) {
      const DocumentShot& shot = d_.shots[i];
      inside(shot.range, "shot " + shot.id);
      expect(shot.frame_start < shot.frame_end, "shot ", shot.id, " has no frames");
      unit(shot.confidence, "the confidence of shot " + shot.id);
      reference(shot.scene, "shot " + shot.id);
      transition(shot, i == 0);
      if (i == 0) continue;
      const DocumentShot& before = d_.shots[i - 1];
      expect(before.range.end_us == shot.range.start_us, "shot ", before.id, " ends at ",
             At{before.range.end_us}, " but ", shot.id, " starts at ", At{shot.range.start_us});
      expect(before.frame_end == shot.frame_start, "shot ", before.id, " ends at frame ",
             before.frame_end, " but ", shot.id, " starts at ", shot.frame_start);
    }
  }

  /// The middle of a transition need not be a frame: one frame of play.
  int64_t frame_us() const {
    const double rate = d_.video.picture.frame_rate.value();
    if (d_.video.picture.variable_frame_rate || rate <= 0) return 100'000;
    return static_cast<int64_t>(std::ceil(1e6 / rate)) + 1;
  }

  void transition(const DocumentShot& shot, bool is_first) {
    const Transition& t = shot.transition;
    expect(is_first || t.kind != TransitionKind::kStart, "shot ", shot.id,
           " is not the first but begins with 'start'");
    const bool gradual = t.kind == TransitionKind::kDissolve || t.kind == TransitionKind::kFade ||
                         t.kind == TransitionKind::kWipe;
    expect(!gradual || t.range, "shot ", shot.id, " begins with a ", to_string(t.kind),
           " that has no range");
    if (!t.range) return;
    inside(*t.range, "the transition into " + shot.id);
    if (is_first) return;
    expect(t.range->start_us <= shot.range.start_us && shot.range.start_us <= t.range->end_us,
           "the transition ", Shown{*t.range}, " does not straddle the start of ", shot.id);
    const int64_t middle = (t.range->start_us + t.range->end_us) / 2;
    expect(std::abs(middle - shot.range.start_us) <= frame_us(), "shot ", shot.id, " starts at ",
           At{shot.range.start_us}, ", not in the middle of its transition ", Shown{*t.range});
  }

  void keyframes() {
    for (const DocumentShot& shot : d_.shots) {
      expect(!shot.keyframes.empty(), "shot ", shot.id, " has no keyframe");
      for (const DocumentKeyframe& k : shot.keyframes) {
        expect(shot.range.contains(k.t_us), "keyframe ", k.id, " at ", At{k.t_us},
               " lies outside its shot ", shot.id, " ", Shown{shot.range});
        expect(k.frame >= shot.frame_start && k.frame < shot.frame_end, "keyframe ", k.id,
               " is frame ", k.frame, ", outside its shot ", shot.id);
        expect((k.frame == shot.frame_start) == (k.t_us == shot.range.start_us), "keyframe ", k.id,
               ": time and frame number disagree with the start of its shot");
        unit(k.score, "the score of keyframe " + k.id);
        if (!options_.pts_of) continue;
        const auto pts = options_.pts_of(k.frame);
        expect(pts == k.t_us, "keyframe ", k.id, " is at ", At{k.t_us}, " but frame ", k.frame,
               " is shown at ", pts ? to_text(seconds(*pts)) : "no time");
      }
    }
  }

  void scenes() {
    size_t next = 0;
    for (const DocumentScene& scene : d_.scenes) {
      expect(!scene.shots.empty(), "scene ", scene.id, " has no shots");
      reference(scene.keyframe, "scene " + scene.id);
      for (const std::string& id : scene.people) reference(id, "scene " + scene.id);
      const size_t first = next;
      for (const std::string& id : scene.shots) {
        const bool in_order = next < d_.shots.size() && d_.shots[next].id == id;
        expect(in_order, "scene ", scene.id, " is not a run of whole shots: ", id, " is not next");
        if (!in_order) return;
        expect(d_.shots[next].scene == scene.id, "shot ", id, " does not say it is in ", scene.id);
        ++next;
      }
      if (next == first) return;
      const TimeRange whole{d_.shots[first].range.start_us, d_.shots[next - 1].range.end_us};
      expect(scene.range == whole, "scene ", scene.id, " is ", Shown{scene.range},
             " but its shots are ", Shown{whole});
    }
    expect(d_.scenes.empty() || next == d_.shots.size(), "the scenes leave out shots from number ",
           next, " on");
  }

  /// `apart`: instances closer than the gap should have been one.
  void instances(const std::vector<Instance>& list, const std::string& what, bool apart) {
    expect(!list.empty(), what, " has no instances");
    for (size_t i = 0; i < list.size(); ++i) {
      const Instance& instance = list[i];
      inside(instance.range, "an instance of " + what);
      if (instance.confidence) unit(*instance.confidence, "a confidence of " + what);
      for (const std::string& id : instance.shots) reference(id, what);
      if (instance.best) best(*instance.best, instance.range, what);
      if (i > 0) spacing(list[i - 1].range, instance.range, what, apart);
    }
  }

  void spacing(const TimeRange& before, const TimeRange& range, const std::string& what,
               bool apart) {
    expect(before.end_us <= range.start_us, "instances of ", what,
           " overlap or are not sorted: ", Shown{before}, " ", Shown{range});
    expect(!apart || range.start_us - before.end_us >= options_.merge_gap_us, "instances of ", what,
           " are closer than ", At{options_.merge_gap_us}, " s: ", Shown{before}, " ",
           Shown{range});
  }

  void best(const Best& best, const TimeRange& range, const std::string& what) {
    expect(best.t_us >= range.start_us && best.t_us <= range.end_us, "the best picture of ", what,
           " at ", At{best.t_us}, " lies outside ", Shown{range});
    if (!best.box) return;
    const Box& b = *best.box;
    expect(b.x0 >= 0 && b.y0 >= 0 && b.x1 <= 1 && b.y1 <= 1 && b.x0 <= b.x1 && b.y0 <= b.y1,
           "a box of ", what, " is outside the picture or turned inside out");
  }

  void seen(int64_t said_us, const std::vector<Instance>& list, const std::string& what) {
    expect(said_us == seen_us(list), what, " says it was seen for ", At{said_us},
           " s; its instances add up to ", At{seen_us(list)});
  }

  void markers() {
    for (const MarkerElement& marker : d_.markers)
      instances(marker.instances, "marker " + marker.kind, false);
  }

  void objects() {
    std::set<std::string> names;
    for (const ObjectElement& object : d_.objects) {
      expect(names.insert(object.label).second, "two objects are called ", object.label);
      unit(object.confidence, "the confidence of object " + object.id);
      instances(object.instances, "object " + object.id, true);
      seen(object.seen_us, object.instances, "object " + object.id);
    }
  }

  void people() {
    for (const Person& person : d_.people) {
      const std::string what = "person " + person.id;
      instances(person.instances, what, true);
      seen(person.seen_us, person.instances, what);
      const auto whole = static_cast<double>(d_.analysis.range.duration_us());
      expect(std::abs(person.seen_ratio - static_cast<double>(person.seen_us) / whole) < 1e-3, what,
             " has seen_ratio ", person.seen_ratio, ", which is not seen_seconds / range");
      if (!person.match) continue;
      unit(person.match->score, "the match score of " + what);
      unit(person.match->threshold, "the match threshold of " + what);
    }
  }

  void texts() {
    for (const TextElement& text : d_.texts) {
      const std::string what = "text " + text.id;
      expect(!text.text.empty(), what, " is empty");
      expect(!text.instances.empty(), what, " has no instances");
      unit(text.confidence, "the confidence of " + what);
      for (size_t i = 0; i < text.instances.size(); ++i) {
        const TextInstance& instance = text.instances[i];
        inside(instance.range, "an instance of " + what);
        for (const Point& p : instance.quad)
          expect(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1, what,
                 " has a corner outside the picture");
        if (i > 0) spacing(text.instances[i - 1].range, instance.range, what, true);
      }
    }
  }

  void labels() {
    for (const LabelElement& label : d_.labels) {
      unit(label.confidence, "the confidence of label " + label.name);
      instances(label.instances, "label " + label.name, true);
    }
  }

  void transcript() {
    if (!d_.transcript) return;
    int64_t last_us = 0;
    for (const DocumentSegment& segment : d_.transcript->segments) {
      inside(segment.range, "transcript segment " + segment.id);
      expect(segment.range.start_us >= last_us, "transcript segment ", segment.id,
             " is out of order");
      last_us = segment.range.start_us;
    }
  }

  void evidence(const Json& list, const std::string& what) {
    for (const Json& e : list) {
      inside({microseconds(e.value("start", Json(0))), microseconds(e.value("end", Json(0)))},
             "evidence of " + what);
      for (const char* key : {"shot", "keyframe", "of"}) reference(e.value(key, ""), what);
    }
  }

  static TimeRange range_of(const Json& json) {
    return {microseconds(json.value("start", Json(0))), microseconds(json.value("end", Json(0)))};
  }

  void story() {
    if (!d_.story.is_object()) return;
    for (const Json& arc : d_.story.value("arcs", Json::array())) {
      const std::string what = "arc " + arc.value("id", "");
      for (const Json& id : arc.value("people", Json::array()))
        reference(id.get<std::string>(), what);
      for (const Json& beat : arc.value("beats", Json::array())) {
        inside(range_of(beat), "a beat of " + what);
        const Json list = beat.value("evidence", Json::array());
        expect(!list.empty(), "a beat of ", what, " has no evidence");
        evidence(list, "a beat of " + what);
      }
    }
  }

  void generated() {
    bool has_line = false;
    for (const Summary& summary : d_.summaries) {
      has_line |= summary.kind == "line" && summary.by.value("engine", "") == "template";
      for (const Evidence& e : summary.evidence) {
        inside(e.range, "evidence of a summary");
        for (const std::string& id : {e.shot, e.keyframe, e.of}) reference(id, "a summary");
      }
    }
    expect(has_line, "there is no summary line of engine template");
    for (const Json& caption : d_.captions) {
      const std::string what = "caption " + caption.value("id", "");
      const Json list = caption.value("evidence", Json::array());
      expect(!list.empty(), what, " has no evidence");
      evidence(list, what);
    }
    for (const Json& highlight : d_.highlights) {
      inside(range_of(highlight), "a highlight");
      evidence(highlight.value("evidence", Json::array()), "a highlight");
    }
    story();
    TimeRange before{-1, -1};
    for (const Json& chapter : d_.chapters) {
      const TimeRange range = range_of(chapter);
      inside(range, "chapter " + chapter.value("id", ""));
      expect(range.start_us >= before.end_us, "chapter ", chapter.value("id", ""),
             " overlaps the one before or is out of order");
      for (const Json& id : chapter.value("scenes", Json::array()))
        reference(id.get<std::string>(), "chapter " + chapter.value("id", ""));
      before = range;
    }
  }

  void status() {
    if (d_.analysis.status == "running") return;
    Analysis settled = d_.analysis;
    settle_status(settled);
    expect(settled.status == d_.analysis.status, "the status is ", d_.analysis.status,
           " but the stages say ", settled.status);
    expect(settled.degraded.has_value() == d_.analysis.degraded.has_value(), "degraded is ",
           d_.analysis.degraded ? "set" : "null", " but the stages say otherwise");
    if (settled.degraded && d_.analysis.degraded)
      expect(settled.degraded->missing == d_.analysis.degraded->missing,
             "degraded does not name exactly the stages that are missing");
    std::set<std::string> names;
    for (const Stage& stage : d_.analysis.stages) {
      expect(names.insert(stage.name).second, "stage ", stage.name, " is there twice");
      const bool troubled =
          stage.status == StageStatus::kFailed || stage.status == StageStatus::kUnavailable;
      expect(!troubled || stage.error, "stage ", stage.name, " is ", to_string(stage.status),
             " without saying why");
    }
  }

  const Document& d_;
  const CheckOptions& options_;
  std::set<std::string> ids_;
  std::vector<std::string> breaches_;
};

}  // namespace

std::vector<std::string> check_document(const Document& document, const CheckOptions& options) {
  return Checker(document, options).run();
}

}  // namespace prismvid::document
