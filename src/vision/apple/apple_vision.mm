// The only Objective-C++ of the project. NOT TRIED on Apple hardware: no Mac was at hand.
#import <CoreGraphics/CoreGraphics.h>
#import <Foundation/Foundation.h>
#import <Vision/Vision.h>

#include <algorithm>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "core/error.h"
#include "vision/apple/apple_vision.h"
#include "vision/labels/label_classifier.h"
#include "vision/text/line_crop.h"
#include "vision/text/unicode.h"

#if !__has_feature(objc_arc)
#error "apple_vision.mm is written for automatic reference counting: compile it with -fobjc-arc"
#endif

namespace prismvid::vision {
namespace {

constexpr int kCropMargin = 8;  // Vision reads lines badly that touch the picture's edge

class CgImage {
 public:
  /// Vision takes no three-byte pixels, so the picture is copied to four.
  explicit CgImage(ImageView picture) {
    NSMutableData* pixels =
        [NSMutableData dataWithLength:static_cast<NSUInteger>(picture.width) * picture.height * 4];
    auto* to = static_cast<uint8_t*>(pixels.mutableBytes);
    for (int y = 0; y < picture.height; ++y) {
      const uint8_t* from = picture.row(y);
      for (int x = 0; x < picture.width; ++x, from += 3, to += 4) std::memcpy(to, from, 3);
    }
    CGDataProviderRef provider = CGDataProviderCreateWithCFData((__bridge CFDataRef)pixels);
    CGColorSpaceRef space = CGColorSpaceCreateWithName(kCGColorSpaceSRGB);
    image_ = CGImageCreate(static_cast<size_t>(picture.width), static_cast<size_t>(picture.height),
                           8, 32, static_cast<size_t>(picture.width) * 4, space,
                           static_cast<CGBitmapInfo>(kCGImageAlphaNoneSkipLast), provider, nullptr,
                           false, kCGRenderingIntentDefault);
    CGColorSpaceRelease(space);
    CGDataProviderRelease(provider);
    check(image_ != nullptr, ErrorCode::kInternal, "CoreGraphics cannot make a picture of ",
          picture.width, "x", picture.height);
  }
  ~CgImage() { CGImageRelease(image_); }
  CgImage(const CgImage&) = delete;
  CgImage& operator=(const CgImage&) = delete;
  CGImageRef get() const { return image_; }

 private:
  CGImageRef image_ = nullptr;
};

void perform(VNRequest* request, ImageView picture) {
  check(!picture.empty() && picture.channels == 3, ErrorCode::kInvalidArgument,
        "Apple's Vision is given RGB pictures, got ", picture.channels, " channels");
  const CgImage image(picture);
  VNImageRequestHandler* handler = [[VNImageRequestHandler alloc] initWithCGImage:image.get()
                                                                          options:@{}];
  NSError* error = nil;
  if ([handler performRequests:@[ request ] error:&error]) return;
  NSString* reason = error.localizedDescription;
  fail(ErrorCode::kModel, "Apple's Vision failed: ", reason ? reason.UTF8String : "no reason given");
}

/// Vision counts from the bottom left corner, 0 to 1.
Point to_pixels(CGPoint point, ImageView picture) {
  return {static_cast<float>(point.x) * static_cast<float>(picture.width),
          static_cast<float>(1 - point.y) * static_cast<float>(picture.height)};
}

// ---- text

class AppleTextEngine : public TextEngine {
 public:
  std::vector<TextBox> detect(ImageView picture) override {
    @autoreleasepool {
      lines_ = read_lines(picture);
    }
    std::vector<TextBox> boxes;
    for (const TextLine& line : lines_) boxes.push_back({line.quad, line.confidence});
    return boxes;
  }

  /// One request finds and reads: quads that detect() has just given are answered from it.
  std::vector<RecognizedText> recognize(ImageView picture, std::span<const Quad> quads) override {
    std::vector<RecognizedText> results;
    for (const Quad& quad : quads) {
      const auto known = std::find_if(lines_.begin(), lines_.end(), [&](const TextLine& line) {
        return std::memcmp(&line.quad, &quad, sizeof quad) == 0;
      });
      if (known != lines_.end()) {
        results.push_back({known->text, known->confidence});
      } else {
        @autoreleasepool {
          results.push_back(read_crop(picture, quad));
        }
      }
    }
    return results;
  }

 private:
  static std::vector<TextLine> read_lines(ImageView picture) {
    VNRecognizeTextRequest* request = [[VNRecognizeTextRequest alloc] init];
    request.recognitionLevel = VNRequestTextRecognitionLevelAccurate;
    request.usesLanguageCorrection = YES;
    if (@available(macOS 13.0, *)) request.automaticallyDetectsLanguage = YES;
    perform(request, picture);
    std::vector<TextLine> lines;
    for (VNRecognizedTextObservation* found in request.results) {
      VNRecognizedText* best = [found topCandidates:1].firstObject;
      if (best == nil) continue;
      const Quad quad{to_pixels(found.topLeft, picture), to_pixels(found.topRight, picture),
                      to_pixels(found.bottomRight, picture), to_pixels(found.bottomLeft, picture)};
      lines.push_back({quad, to_nfc(best.string.UTF8String), static_cast<float>(best.confidence)});
    }
    return lines;
  }

  static RecognizedText read_crop(ImageView picture, const Quad& quad) {
    cv::Mat padded;
    cv::copyMakeBorder(crop_line(picture, quad), padded, kCropMargin, kCropMargin, kCropMargin,
                       kCropMargin, cv::BORDER_REPLICATE);
    const ImageView view{padded.data, padded.cols, padded.rows, 3,
                         static_cast<std::ptrdiff_t>(padded.step)};
    RecognizedText result;
    for (const TextLine& line : read_lines(view)) {
      result.text += (result.text.empty() ? "" : " ") + line.text;
      result.confidence = std::max(result.confidence, line.confidence);
    }
    return result;
  }

  std::vector<TextLine> lines_;
};

// ---- faces

std::optional<Point> middle_of(VNFaceLandmarkRegion2D* region, ImageView picture) {
  if (region == nil || region.pointCount == 0) return std::nullopt;
  const CGSize size = CGSizeMake(picture.width, picture.height);
  const CGPoint* points = [region pointsInImageOfSize:size];
  Point sum;
  for (NSUInteger i = 0; i < region.pointCount; ++i) {
    sum.x += static_cast<float>(points[i].x);
    sum.y += static_cast<float>(picture.height - points[i].y);
  }
  const auto count = static_cast<float>(region.pointCount);
  return Point{sum.x / count, sum.y / count};
}

std::optional<FaceLandmarks> landmarks_of(VNFaceObservation* face, ImageView picture) {
  VNFaceLandmarks2D* marks = face.landmarks;
  if (marks == nil) return std::nullopt;
  auto left = middle_of(marks.leftEye, picture), right = middle_of(marks.rightEye, picture);
  const auto nose = middle_of(marks.noseCrest, picture);
  if (!left || !right || !nose) return std::nullopt;
  // The person's right eye is on the left of the picture; which one Vision names so is not relied
  // on.
  if (right->x > left->x) std::swap(left, right);
  FaceLandmarks result{*right, *left, *nose};
  VNFaceLandmarkRegion2D* lips = marks.outerLips;
  if (lips == nil || lips.pointCount == 0) return result;
  const CGPoint* points =
      [lips pointsInImageOfSize:CGSizeMake(picture.width, picture.height)];
  auto further_left = [](const CGPoint& a, const CGPoint& b) { return a.x < b.x; };
  const auto [first, last] = std::minmax_element(points, points + lips.pointCount, further_left);
  auto corner = [&](const CGPoint& p) {
    return Point{static_cast<float>(p.x), static_cast<float>(picture.height - p.y)};
  };
  result.right_mouth = corner(*first);
  result.left_mouth = corner(*last);
  return result;
}

class AppleFaceDetector : public FaceDetector {
 public:
  std::vector<DetectedFace> detect(ImageView picture) override {
    std::vector<DetectedFace> faces;
    @autoreleasepool {
      VNDetectFaceLandmarksRequest* request = [[VNDetectFaceLandmarksRequest alloc] init];
      perform(request, picture);
      for (VNFaceObservation* found in request.results) {
        const CGRect r = found.boundingBox;
        const Point top_left = to_pixels(CGPointMake(CGRectGetMinX(r), CGRectGetMaxY(r)), picture);
        const Point bottom_right =
            to_pixels(CGPointMake(CGRectGetMaxX(r), CGRectGetMinY(r)), picture);
        faces.push_back({{top_left.x, top_left.y, bottom_right.x, bottom_right.y},
                         found.confidence,
                         landmarks_of(found, picture)});
      }
    }
    std::stable_sort(faces.begin(), faces.end(), [](const DetectedFace& a, const DetectedFace& b) {
      return a.score > b.score;
    });
    return faces;
  }
};

// ---- labels

std::vector<LabelScore> classify(ImageView picture) {
  std::vector<LabelScore> labels;
  @autoreleasepool {
    VNClassifyImageRequest* request = [[VNClassifyImageRequest alloc] init];
    perform(request, picture);
    for (VNClassificationObservation* found in request.results)
      if (found.confidence >= LabelClassifier::kLeastConfidence)
        labels.push_back({found.identifier.UTF8String, found.confidence});
  }
  std::stable_sort(labels.begin(), labels.end(), [](const LabelScore& a, const LabelScore& b) {
    return a.confidence > b.confidence;
  });
  return labels;
}

}  // namespace

bool has_apple_vision() { return true; }

std::string apple_vision_backend() {
  const NSOperatingSystemVersion v = NSProcessInfo.processInfo.operatingSystemVersion;
  return "apple-vision-" + std::to_string(v.majorVersion) + "." + std::to_string(v.minorVersion) +
         "." + std::to_string(v.patchVersion);
}

std::unique_ptr<TextEngine> make_apple_text_engine() { return std::make_unique<AppleTextEngine>(); }
std::unique_ptr<FaceDetector> make_apple_face_detector() {
  return std::make_unique<AppleFaceDetector>();
}
std::function<std::vector<LabelScore>(ImageView)> make_apple_labeller() { return classify; }

}  // namespace prismvid::vision
