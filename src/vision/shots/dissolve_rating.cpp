#include "vision/shots/dissolve_rating.h"

#include <cmath>

namespace prismvid::vision {
namespace {

// Written by bench/shots/train_dissolve_rating.py from 6 sets of generated clips.
constexpr int kHidden = 12;
constexpr float kWeights[kHidden][DissolveFeatures::kCount] = {
    {0.1316f, 0.2563f, -0.2183f, 0.4404f, 0.0136f, -0.6518f, -1.9769f, -2.1759f, -2.1792f, -1.3180f,
     -0.6969f, -0.1200f, 0.4200f, -0.0598f},
    {-0.8778f, -1.5523f, 0.4880f, 1.4066f, -0.1905f, -0.8925f, -0.0891f, -0.8442f, 2.2832f, 1.7622f,
     -1.2352f, -1.2804f, -0.6981f, 1.1872f},
    {-0.5130f, 2.1008f, -0.5500f, 0.1117f, 0.0388f, -1.0032f, -1.7353f, -2.2991f, 16.7360f, 1.1039f,
     -0.1578f, 0.8892f, 1.5598f, 0.4132f},
    {1.0425f, 2.1144f, -0.4135f, 0.2529f, -0.6869f, -0.2397f, -1.2166f, -1.3838f, -3.1247f,
     12.9335f, 0.7169f, 0.8029f, -0.4191f, 1.5372f},
    {-1.5848f, -0.9319f, -0.2975f, -2.0210f, -0.9525f, 2.7675f, -2.0531f, 5.9624f, -6.0208f,
     -5.0603f, -4.0357f, 1.9104f, 0.9774f, -0.2895f},
    {-0.8619f, -0.2608f, 1.5971f, 0.8461f, 0.1043f, 1.5405f, -0.6734f, 4.5401f, 1.5610f, 3.8438f,
     -3.0972f, 0.2186f, -0.5269f, -1.7439f},
    {0.2565f, 0.2366f, -0.6641f, -1.7731f, 0.1663f, 1.3085f, -1.8498f, 5.4664f, -3.2599f, -7.9778f,
     0.1303f, 2.2843f, 2.3364f, -0.7573f},
    {-0.2923f, -0.2215f, 0.2152f, -0.4134f, -0.0475f, 0.6745f, 2.0433f, 2.1483f, 2.2063f, 1.3800f,
     0.7617f, 0.2021f, -0.4253f, -0.0111f},
    {-2.8880f, -1.4551f, -0.0337f, -1.2445f, 0.3363f, 1.0939f, 1.6768f, 0.8000f, 4.0951f, 4.0223f,
     -0.1115f, -1.0366f, -1.0393f, -1.3966f},
    {0.3680f, 0.2139f, -0.2107f, 0.3931f, 0.0674f, -0.6897f, -2.0759f, -2.1131f, -2.2200f, -1.3884f,
     -0.7945f, -0.2561f, 0.4188f, 0.0545f},
    {-0.7865f, 1.9504f, 2.6604f, 1.3872f, 0.3222f, 0.9013f, 0.0401f, 2.5415f, 0.9395f, 0.3368f,
     -0.6947f, -0.9511f, -0.1012f, -1.4230f},
    {0.4223f, 0.1981f, -0.2101f, 0.3857f, 0.0819f, -0.6957f, -2.0915f, -2.0813f, -2.2144f, -1.4196f,
     -0.8081f, -0.2858f, 0.4140f, 0.0773f},
};
constexpr float kBiases[kHidden] = {0.8687f, 0.9594f,  -0.8162f, -1.8106f, 5.3459f,  1.0506f,
                                    0.8798f, -0.8888f, 1.9183f,  0.8981f,  -2.1617f, 0.8988f};
constexpr float kOutWeights[kHidden] = {0.8305f, -0.7518f, 1.1063f,  0.9375f, 1.3578f, 1.1927f,
                                        0.9198f, -0.8820f, -0.9172f, 0.9105f, 1.3060f, 0.9214f};
constexpr float kOutBias = -0.9208f;

}  // namespace

float rate_dissolve(const DissolveFeatures& features) {
  const auto values = features.values();
  float sum = kOutBias;
  for (int unit = 0; unit < kHidden; ++unit) {
    float input = kBiases[unit];
    for (size_t i = 0; i < values.size(); ++i) input += kWeights[unit][i] * values[i];
    sum += kOutWeights[unit] * std::tanh(input);
  }
  return 1 / (1 + std::exp(-sum));
}

}  // namespace prismvid::vision
