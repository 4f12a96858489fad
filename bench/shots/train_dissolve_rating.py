"""Trains the rating of dissolves on clips of make_clips.py and writes src/vision/shots/dissolve_rating.cpp.

usage: train_dissolve_rating.py DUMP_PROGRAM OUT.cpp CLIP_DIR...      needs torch, numpy and the ffmpeg program
A candidate is a dissolve when it shares 40 % of its span with a true one; those in between and fades are left out.
Prints the errors on each folder when trained on the others.
"""
import json
import pathlib
import subprocess
import sys

import numpy as np
import torch

HIDDEN = 12


def label(begin, end, graduals):
    for gradual in graduals:
        shared = min(end, gradual["end"]) - max(begin, gradual["start"])
        if shared > 0:
            union = max(end, gradual["end"]) - min(begin, gradual["start"])
            return 1 if gradual["kind"] == "dissolve" and shared >= 0.4 * union else None
    return 0


def candidates(program, folder):
    for truth_file in sorted(folder.glob("*.json")):
        truth = json.loads(truth_file.read_text())
        raw = subprocess.run(["ffmpeg", "-v", "fatal", "-i", truth_file.with_suffix(".mkv"), "-vsync", "passthrough",
                              "-vf", "scale=64:36:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
                             check=True, capture_output=True).stdout
        lines = subprocess.run([program], input=raw, check=True, capture_output=True).stdout.decode().splitlines()
        for begin, end, *features in (line.split() for line in lines):
            wanted = label(int(begin), int(end), truth["graduals"])
            if wanted is not None:
                yield wanted, [float(f) for f in features]


def fit(features, labels):
    """Weights of tanh units and of the sum, with the normalisation of the features folded in."""
    torch.manual_seed(0)
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    x, y = torch.tensor((features - mean) / deviation), torch.tensor(labels)
    net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=2e-3)
    for _ in range(1500):
        optimizer.zero_grad()
        scores = net(x + 0.15 * torch.randn_like(x))[:, 0]
        torch.nn.functional.binary_cross_entropy_with_logits(scores, y).backward()
        optimizer.step()
    w1, b1, w2, b2 = (p.detach().numpy() for p in net.parameters())
    w1 = w1 / deviation
    return w1, b1 - w1 @ mean, w2[0], b2[0]


def rate(model, features):
    w1, b1, w2, b2 = model
    return 1 / (1 + np.exp(-(np.tanh(features @ w1.T + b1) @ w2 + b2)))


def source(model, folders):
    def numbers(values):
        return ", ".join(f"{v:.4f}f" for v in values)
    w1, b1, w2, b2 = model
    rows = "\n".join(f"    {{{numbers(row)}}}," for row in w1)
    return f"""#include "vision/shots/dissolve_rating.h"

#include <cmath>

namespace prismvid::vision {{
namespace {{

// Written by bench/shots/train_dissolve_rating.py from {folders}.
constexpr int kHidden = {HIDDEN};
constexpr float kWeights[kHidden][DissolveFeatures::kCount] = {{
{rows}
}};
constexpr float kBiases[kHidden] = {{{numbers(b1)}}};
constexpr float kOutWeights[kHidden] = {{{numbers(w2)}}};
constexpr float kOutBias = {b2:.4f}f;

}}  // namespace

float rate_dissolve(const DissolveFeatures& features) {{
  const auto values = features.values();
  float sum = kOutBias;
  for (int unit = 0; unit < kHidden; ++unit) {{
    float input = kBiases[unit];
    for (size_t i = 0; i < values.size(); ++i) input += kWeights[unit][i] * values[i];
    sum += kOutWeights[unit] * std::tanh(input);
  }}
  return 1 / (1 + std::exp(-sum));
}}

}}  // namespace prismvid::vision
"""


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    folders = [pathlib.Path(a) for a in sys.argv[3:]]
    data = {folder: list(candidates(sys.argv[1], folder)) for folder in folders}
    features = np.array([f for rows in data.values() for _, f in rows], np.float32)
    labels = np.array([wanted for rows in data.values() for wanted, _ in rows], np.float32)
    folder_of = np.array([i for i, rows in enumerate(data.values()) for _ in rows])
    for i, folder in enumerate(folders):
        if len(folders) > 1:
            held_out = folder_of == i
            rated = rate(fit(features[~held_out], labels[~held_out]), features[held_out]) > 0.5
            truth = labels[held_out] == 1
            print(f"{folder.name} held out: {(~rated & truth).sum()} of {truth.sum()} dissolves missed, "
                  f"{(rated & ~truth).sum()} of {(~truth).sum()} others accepted")
    pathlib.Path(sys.argv[2]).write_text(source(fit(features, labels), f"{len(folders)} sets of generated clips"))


main()
