#include "media/picture_maker.h"

#include <utility>

#include "core/cpu.h"

namespace prismvid::media {

PictureMaker::PictureMaker(MakePicture make, Take take)
    : make_(std::move(make)),
      take_(std::move(take)),
      team_(static_cast<size_t>(available_threads())) {}

void PictureMaker::add(const std::shared_ptr<const Frame>& frame) {
  if (waiting_.size() == team_.size() && waiting_.back().frame != frame) give();
  if (waiting_.empty() || waiting_.back().frame != frame) waiting_.push_back({frame, 0, nullptr});
  ++waiting_.back().times;
}

void PictureMaker::give() {
  team_.run(waiting_.size(), [&](size_t, size_t i) {
    waiting_[i].picture = std::make_shared<const Image>(make_(*waiting_[i].frame));
  });
  for (const Waiting& one : waiting_)
    for (int i = 0; i < one.times; ++i) take_({one.frame->index, one.frame->pts_us, one.picture});
  waiting_.clear();
}

}  // namespace prismvid::media
