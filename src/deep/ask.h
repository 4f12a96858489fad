#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deep/picture.h"
#include "deep/stages.h"

namespace prismvid::deep {

/// An earlier question and its answer.
struct Turn {
  std::string question;
  std::string answer;
};

/// A stretch that proves an answer.
struct Citation {
  int n = 0;  // counted from 1
  std::string video;
  TimeRange range;
  std::string keyframe;  // id of the nearest one inside; may be empty
  std::string source;    // frames: it was looked at; else what was read: caption, text, ...
  std::string of;        // id of what was read
  std::string text;      // what was read
  double score = 0;      // of the search that found it; 0 where it was not found by search
};

/// Tells of an answer in the making. All may be empty; none may wait for the answer.
struct AskWatch {
  std::function<void(const std::vector<Citation>& best)> on_found = {};  // by search
  /// A window is looked at. What on_words told before is not the answer.
  std::function<void(const std::string& video, const TimeRange& window)> on_look = {};
  /// Words of the answer as they come, before they are checked; on another thread.
  std::function<void(const std::string& words)> on_words = {};
};

struct AskOptions {
  std::string language = "en";          // of the answer
  std::optional<TimeRange> range = {};  // only this part
  std::vector<Turn> history = {};       // what was asked before, oldest first
  int most_windows = 3;                 // looked at until one shows the answer
  std::string locate = {};  // a thing to find boxes of; empty: the one a "where is" asks for
  AskWatch watch = {};
};

/// A box on a frame.
struct BoxAt {
  std::string video;
  int64_t t_us = 0;
  Box box;
  std::string label;
};

struct Answer {
  std::string text;
  bool shown = false;       // the video shows what was asked for
  bool sufficient = false;  // the text rests on citations that were checked
  std::vector<Citation> citations;
  std::vector<BoxAt> boxes;
  int windows = 0;  // looked at
  int64_t frames_low = 0;
  int64_t frames_high = 0;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  double seconds = 0;
  std::string engine = "vlm";  // or "search"
  std::string words_only;      // why nothing was searched by meaning; empty where it was
  document::Json by;           // null for a search
  std::optional<document::Degraded> degraded;
};

/// A video to ask about: `work.known` is its whole document.
using Askable = Work;

/// A stretch of a video that has to do with what is asked.
struct Moment {
  size_t video = 0;  // index among the videos
  TimeRange range;
  std::string kind;  // caption, text, person, object, speech, chapter, ...
  std::string of;    // id of the element in the document
  std::string text;
  double score = 0;  // of the search that found it, higher is better
};

/// Looks at the frames of the windows that hold most of the `moments` (best first), until one shows
/// the answer. Citations are checked: what was neither looked at nor told is dropped, and an
/// answer left without any, or with a time that none covers, is not sufficient. Throws
/// Error(kInvalidArgument) for an empty question or range, and what model and videos throw.
Answer ask(const std::vector<Askable>& videos, const std::vector<Moment>& moments,
           const std::string& question, const AskOptions& options);

/// The best of what a search found, as citations.
std::vector<Citation> cite_moments(const std::vector<const document::Document*>& videos,
                                   const std::vector<Moment>& moments);

/// The moments themselves, in a template's words, for when there is no model.
Answer answer_by_search(const std::vector<const document::Document*>& videos,
                        const std::vector<Moment>& moments);

/// The answer object of the interface (docs/deep.md), and what it is made of.
document::Json to_json(const Answer& answer);
document::Json to_json(const Citation& citation);

/// What "Where is the red cup?" asks for: "the red cup"; empty for other questions.
std::string located_thing(const std::string& question);

}  // namespace prismvid::deep
