#pragma once

#include <memory>
#include <vector>

#include "core/thread_team.h"
#include "media/chosen_pictures.h"

namespace prismvid::media {

/// Makes pictures of decoded frames, several at once, and gives them in order. Not thread-safe.
class PictureMaker {
 public:
  using Take = std::function<void(ChosenPicture picture)>;

  PictureMaker(MakePicture make, Take take);

  /// A frame may be added several times on end: it is made once and given as often. Throws what
  /// making a picture throws.
  void add(const std::shared_ptr<const Frame>& frame);
  /// What was added and not given yet. To be called at the end.
  void give();

 private:
  struct Waiting {
    std::shared_ptr<const Frame> frame;
    int times = 0;
    std::shared_ptr<const Image> picture;
  };

  const MakePicture make_;
  const Take take_;
  ThreadTeam team_;
  std::vector<Waiting> waiting_;
};

}  // namespace prismvid::media
