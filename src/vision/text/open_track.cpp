#include "vision/text/open_track.h"

#include <algorithm>

#include "vision/text/quads.h"

namespace prismvid::vision {
namespace {

constexpr size_t kHeadFrames = 240;
constexpr size_t kTailFrames = 240;
constexpr float kFollowBelow = 0.6f;  // less of the text than this: look whether it has moved
constexpr int kSearchX = 5;
constexpr int kSearchY = 3;
constexpr int kGiveUpAfter = 3;  // frames without the text
constexpr int kSteadyFrames = 5;  // that tell the text from what moves behind it

/// Median of the values that are at least half of the largest: how much of the text shows while it
/// shows.
template <typename Curve>
float plateau(const Curve& curve) {
  float largest = 0;
  for (const auto& point : curve) largest = std::max(largest, point.whole);
  std::vector<float> high;
  for (const auto& point : curve)
    if (point.whole >= largest / 2) high.push_back(point.whole);
  if (high.empty()) return 1;
  std::nth_element(high.begin(), high.begin() + static_cast<std::ptrdiff_t>(high.size() / 2),
                   high.end());
  return high[high.size() / 2];
}

}  // namespace

Presence OpenTrack::Follower::step(ImageView luma) {
  const Presence standing = look.presence(luma, dx, dy);
  if (standing.whole >= kFollowBelow) lost = 0;
  if (standing.whole >= kFollowBelow || lost >= kGiveUpAfter) return standing;
  const Shift at = look.best_shift(luma, {dx + vx, dy + vy}, {kSearchX, kSearchY});
  const Presence moved = look.presence(luma, at.x, at.y);
  if (moved.whole < kFollowBelow) {
    ++lost;
    return standing;
  }
  vx = at.x - dx, vy = at.y - dy, dx = at.x, dy = at.y, lost = 0;
  return moved;
}

OpenTrack::OpenTrack(const LumaFrame& frame, const Quad& quad)
    : last_sample_us(frame.pts_us), quad_(quad), first_sample_us_(frame.pts_us) {
  first_.look = RegionTemplate(frame.luma, bounding_box(quad));
  latest_ = first_;
  head_.push_back({frame.pts_us, 1});
  tail_.push_back({frame.pts_us, 1});
}

void OpenTrack::look_back(std::span<const LumaFrame* const> earlier) {
  for (auto frame = earlier.rbegin(); frame != earlier.rend() && steadied_by_ < kSteadyFrames; ++frame) {
    now_ = latest_.look.presence((*frame)->luma);
    if (!looks_unchanged()) break;
    steady(**frame);
  }
  now_ = {1, 1, 1};
  Follower back = first_;
  std::vector<CurvePoint> before;
  for (auto frame = earlier.rbegin(); frame != earlier.rend(); ++frame)
    before.push_back({(*frame)->pts_us, back.step((*frame)->luma).whole});
  head_.insert(head_.begin(), before.rbegin(), before.rend());
}

/// The frame shows the text where it stood: what has changed there is not of it.
void OpenTrack::steady(const LumaFrame& frame) {
  latest_.look.keep_standing(frame.luma);
  if (shared_look_) first_.look = latest_.look;
  ++steadied_by_;
}

void OpenTrack::follow(const LumaFrame& frame) {
  now_ = latest_.step(frame.luma);
  if (steadied_by_ < kSteadyFrames && !has_moved() && looks_unchanged()) steady(frame);
  if (head_.size() < kHeadFrames)
    head_.push_back({frame.pts_us, shared_look_ ? now_.whole : first_.step(frame.luma).whole});
  tail_.push_back({frame.pts_us, now_.whole});
  if (tail_.size() > kTailFrames) tail_.pop_front();
}

void OpenTrack::confirm(const LumaFrame& frame, const Quad& quad) {
  ++confirmations;
  last_sample_us = frame.pts_us;
  if (now_.whole >= 0.7f && now_.whole <= 1.3f) return;
  RegionTemplate look(frame.luma, bounding_box(quad));
  if (now_.whole < 0.7f && look.energy() < 0.8 * latest_.look.energy()) return;  // it is fading out
  if (shared_look_) first_ = latest_;
  shared_look_ = false;
  const Box before = bounding_box(quad_), after = bounding_box(quad);
  moved_ = {moved_.x + (after.x0 + after.x1 - before.x0 - before.x1) / 2,
            moved_.y + (after.y0 + after.y1 - before.y0 - before.y1) / 2};
  quad_ = quad;
  latest_ = {std::move(look)};
  steadied_by_ = 0;
  now_ = {1, 1, 1};
  tail_.assign(1, {frame.pts_us, 1});
}

void OpenTrack::confirm_text(const LumaFrame& frame) {
  if (has_moved() || looks_unchanged() || now_.whole < kFollowBelow) return;
  steady(frame);
  now_ = latest_.look.presence(frame.luma);
}

bool OpenTrack::looks_unchanged() const {
  return now_.whole >= 0.7f && now_.weakest >= 0.6f * now_.whole;
}

bool OpenTrack::looks_present() const {
  return now_.whole >= 0.55f && now_.weakest >= 0.25f;
}

bool OpenTrack::looks_faded() const {
  return (now_.whole < 0.75f || now_.whole > 1.25f) && now_.likeness >= 0.6f;
}

Quad OpenTrack::place() const {
  return shifted(quad_, static_cast<float>(latest_.dx), static_cast<float>(latest_.dy));
}

int64_t OpenTrack::start_us() const {
  if (continued_start_us_) return *continued_start_us_;
  const float half = plateau(head_) / 2;
  size_t at = 0;
  while (at + 1 < head_.size() && head_[at].pts_us < first_sample_us_) ++at;
  while (at + 1 < head_.size() && head_[at].whole < half)
    ++at;  // found while it was still fading in
  // One weak frame between two good ones is noise.
  while (at > 0 && (head_[at - 1].whole >= half || (at > 1 && head_[at - 2].whole >= half))) --at;
  return std::max(start_limit_us_, head_[at].pts_us);
}

int64_t OpenTrack::end_us(int64_t after_us) const {
  const float half = plateau(tail_) / 2;
  size_t at = 0;
  while (at + 1 < tail_.size() && tail_[at].pts_us < last_sample_us) ++at;
  while (at > 0 && tail_[at].whole < half) --at;  // confirmed while it was fading out
  auto shows = [&](size_t i) { return i < tail_.size() && tail_[i].whole >= half; };
  while (at < tail_.size() && (shows(at) || shows(at + 1))) ++at;
  return std::min(end_limit_us_, at < tail_.size() ? tail_[at].pts_us : after_us);
}

}  // namespace prismvid::vision
