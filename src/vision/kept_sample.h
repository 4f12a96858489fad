#pragma once

#include "core/image_copy.h"
#include "vision/sample.h"

namespace prismvid::vision {

/// A sample that outlasts the call which brought it: shares its picture where the sample has an owner, else copies it.
class KeptSample {
 public:
  explicit KeptSample(const Sample& sample) : sample_(sample) {
    if (sample_.owner) return;
    copy_ = copy_of(sample.picture);
    sample_.picture = copy_;
  }
  KeptSample(KeptSample&&) = default;
  KeptSample& operator=(KeptSample&&) = default;

  const Sample& get() const { return sample_; }

 private:
  Image copy_;
  Sample sample_;
};

}  // namespace prismvid::vision
