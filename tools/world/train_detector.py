"""Trains the demonstration detector on endless frames of the world and scores it on held-out clips.

usage: python -m world.train_detector OUT_DIR --seconds 180      (from tools/; one GPU, a few minutes)
Writes detector.onnx, scores.json and detector.pt.
"""
import argparse
import copy
import json
import pathlib
import random
import time

import cv2
import numpy as np
import torch

from .detector import CLASSES, INPUT, Detector, cells, decode, loss
from .script import write_clip

HELD_OUT = 100_000  # clips with smaller seeds are never trained on
MOST_BOXES = 6
INDEX = {name: i for i, name in enumerate(CLASSES)}


def letterbox(picture):
    """Resized to fit, at the top left of a grey square -> (square BGR picture, scale)."""
    scale = INPUT / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    if size != (picture.shape[1], picture.shape[0]):
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    square = np.full((INPUT, INPUT, 3), 114, np.uint8)
    square[:size[1], :size[0]] = picture[:, :, ::-1]
    return square, size


def disturb(picture, rng):
    """Compression, blur, noise and light, as videos have them."""
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(35, 95)]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    if rng.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (3, 3), 0)
    if rng.random() < 0.3:
        picture = cv2.convertScaleAbs(picture, alpha=rng.uniform(0.85, 1.15), beta=rng.uniform(-12, 12))
    return picture


def example(clip, rng, plain=False):
    """(BGR square, boxes in its pixels, labels) of one moment."""
    for _ in range(8):
        t = rng.uniform(0, clip.duration - 0.05)
        if not clip.in_dissolve(t):
            break
    found = clip.boxes(t)[:MOST_BOXES]
    size = (640, 360) if plain else rng.choice([(640, 360), (320, 180), (320, 180), (480, 270), (320, 240), (426, 240)])
    picture = clip.frame(t, *size)
    square, (w, h) = letterbox(picture if plain else disturb(picture, rng))
    if not plain and rng.random() < 0.15:  # smaller in the square
        f = rng.uniform(0.7, 0.95)
        small = cv2.resize(square, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
        square = np.full_like(square, 114)
        square[:small.shape[0], :small.shape[1]] = small
        w, h = w * f, h * f
    boxes = np.zeros((MOST_BOXES, 4), np.float32)
    labels = np.full(MOST_BOXES, -1, np.int64)
    for i, (name, box) in enumerate(found):
        boxes[i], labels[i] = np.array(box) * [w, h, w, h], INDEX[name]
    return square, boxes, labels


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, batch):
        self.batch = batch

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = torch.utils.data.get_worker_info().id
        rng = random.Random(977 + worker)
        while True:
            items = []
            while len(items) < self.batch:
                clip = write_clip(HELD_OUT + rng.randrange(1 << 40))
                items += [example(clip, rng) for _ in range(4)]
            yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*items[:self.batch]))


def non_maximum_suppression(boxes, scores, labels, threshold=0.65):
    from torchvision.ops import batched_nms
    return batched_nms(boxes, scores, labels, threshold)[:100]


def average_precision(hits, scores, total):
    """Area under the precision envelope at 101 recalls; hits: 1 true, 0 false positive."""
    order = np.argsort(-np.array(scores), kind="stable")
    true = np.cumsum(np.array(hits)[order])
    precision = true / np.arange(1, len(true) + 1)
    recall = true / total
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101))
    return float(np.mean([envelope[i] if i < len(envelope) else 0.0 for i in at]))


def evaluate(model, device, clips=500, per_clip=4):
    """mAP over classes on held-out clips, at IoU 0.5 and averaged over 0.5..0.95."""
    grid, strides = cells(device=device)
    rng = random.Random(5)
    thresholds = np.arange(0.5, 0.96, 0.05)
    found = {c: [[] for _ in thresholds] for c in range(len(CLASSES))}
    scored, totals = {c: [] for c in range(len(CLASSES))}, np.zeros(len(CLASSES))
    wrong_at_default = right_at_default = wanted = 0
    for seed in range(clips):
        clip = write_clip(seed)
        items = [example(clip, rng, plain=True) for _ in range(per_clip)]
        pictures = torch.from_numpy(np.stack([i[0] for i in items])).to(device).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            out = model(pictures).float()
        boxes, scores = decode(out, grid, strides), out[..., 4:5] * out[..., 5:]
        for b, (_, truth, labels) in enumerate(items):
            at, cls = (scores[b] > 0.01).nonzero(as_tuple=True)
            keep = non_maximum_suppression(boxes[b, at], scores[b, at, cls], cls)
            at, cls = at[keep], cls[keep]
            got, score = boxes[b, at].cpu().numpy(), scores[b, at, cls].cpu().numpy()
            truth, labels = truth[labels >= 0], labels[labels >= 0]
            wanted += len(labels)
            for label in labels:
                totals[label] += 1
            for c in np.unique(cls.cpu().numpy()):
                rows, goal = np.where(cls.cpu().numpy() == c)[0], truth[labels == c]
                overlap = iou_table(got[rows], goal)
                scored[c] += list(score[rows])
                for k, threshold in enumerate(thresholds):
                    hits = match(overlap, threshold)
                    found[c][k] += hits
                    if k == 0:
                        right_at_default += sum(h for h, s in zip(hits, score[rows]) if s >= 0.3)
                        wrong_at_default += sum(1 - h for h, s in zip(hits, score[rows]) if s >= 0.3)
    table = np.array([[average_precision(found[c][k], scored[c], totals[c]) if scored[c] else 0.0
                       for k in range(len(thresholds))] for c in range(len(CLASSES)) if totals[c]])
    return {"clips": clips, "frames": clips * per_clip, "boxes": int(wanted), "classes": len(table),
            "mAP50": round(float(table[:, 0].mean()), 4), "mAP50_95": round(float(table.mean()), 4),
            "lowest_class_AP50": round(float(table[:, 0].min()), 4),
            "recall_at_0.3": round(right_at_default / wanted, 4),
            "precision_at_0.3": round(right_at_default / max(1, right_at_default + wrong_at_default), 4)}


def iou_table(a, b):
    if not len(b):
        return np.zeros((len(a), 0))
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(-1)
    area = lambda x: (x[..., 2:] - x[..., :2]).prod(-1)
    return inter / (area(a)[:, None] + area(b)[None] - inter)


def match(overlap, threshold):
    """Each detection (best score first) takes the best free truth above the threshold."""
    taken, hits = set(), []
    for row in overlap:
        free = [(iou, j) for j, iou in enumerate(row) if iou >= threshold and j not in taken]
        if free:
            taken.add(max(free)[1])
        hits.append(1 if free else 0)
    return hits


def export(model, path):
    model = copy.deepcopy(model).cpu().float().eval()
    torch.onnx.export(model, torch.zeros(1, 3, INPUT, INPUT), str(path), input_names=["images"],
                      output_names=["output"], opset_version=13, dynamo=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--clips", type=int, default=500)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    model = Detector().to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(model).eval()
    grid, strides = cells(device=device)
    print("parameters", sum(p.numel() for p in model.parameters()), flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    loader = torch.utils.data.DataLoader(Stream(args.batch), batch_size=None, num_workers=args.workers,
                                         prefetch_factor=3, pin_memory=device == "cuda")
    begin = time.time()
    for step, (pictures, truth, labels) in enumerate(loader):
        done = (time.time() - begin) / args.seconds
        if done >= 1:
            break
        rate = 3e-3 * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        pictures = pictures.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
        with torch.autocast(device, torch.bfloat16):
            raw = model.raw(pictures)
        value = loss(raw.float(), grid, strides, truth.to(device), labels.to(device))
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        keep = min(0.998, (step + 1) / (step + 20))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), model.state_dict().values()):
                a.lerp_(b, 1 - keep) if a.is_floating_point() else a.copy_(b)
        if step % 100 == 0:
            print(f"{time.time() - begin:6.1f} s step {step} loss {value.item():.3f}", flush=True)
    torch.save(average.state_dict(), args.out / "detector.pt")
    scores = evaluate(average, device, args.clips) | {"steps": step, "images": step * args.batch,
                                                      "train_seconds": round(time.time() - begin)}
    print(json.dumps(scores), flush=True)
    (args.out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    export(average, args.out / "detector.onnx")


if __name__ == "__main__":
    main()
