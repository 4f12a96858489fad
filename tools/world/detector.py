"""The world's object detector: a YOLOX of nano size (depthwise convolutions, decoupled head, no anchors).

Architecture after "YOLOX: Exceeding YOLO Series in 2021" (Ge et al.); written here from the paper.
Input N x 3 x S x S, BGR, 0..255, letterboxed with 114 at the bottom and right. Output N x A x (5 + C), levels of stride
8, 16, 32 row by row: x, y, w, h as the network gives them (centre = (xy + cell) * stride, size = exp(wh) * stride),
then objectness and class scores after the sigmoid.
"""
import torch
from torch import nn

from .drawing import COLOURS, SHAPES

CLASSES = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES] + ["wall"]
STRIDES = [8, 16, 32]
INPUT = 320


def conv(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03), nn.SiLU())


def depthwise(inputs, outputs, kernel=3, stride=1):
    return nn.Sequential(conv(inputs, inputs, kernel, stride, groups=inputs), conv(inputs, outputs, 1))


class Bottleneck(nn.Module):
    def __init__(self, width, shortcut):
        super().__init__()
        self.body, self.shortcut = nn.Sequential(conv(width, width, 1), depthwise(width, width)), shortcut

    def forward(self, x):
        return x + self.body(x) if self.shortcut else self.body(x)


class CrossStage(nn.Module):
    """Half the channels pass through bottlenecks, half go round them."""

    def __init__(self, inputs, outputs, count, shortcut=True):
        super().__init__()
        half = outputs // 2
        self.left, self.right = conv(inputs, half, 1), conv(inputs, half, 1)
        self.body = nn.Sequential(*[Bottleneck(half, shortcut) for _ in range(count)])
        self.merge = conv(2 * half, outputs, 1)

    def forward(self, x):
        return self.merge(torch.cat([self.body(self.left(x)), self.right(x)], 1))


class PyramidPooling(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.reduce, self.merge = conv(width, width // 2, 1), conv(width * 2, width, 1)
        self.pools = nn.ModuleList([nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13)])

    def forward(self, x):
        x = self.reduce(x)
        return self.merge(torch.cat([x] + [pool(x) for pool in self.pools], 1))


class Head(nn.Module):
    """One level's class, box and objectness predictions."""

    def __init__(self, inputs, width, classes):
        super().__init__()
        self.stem = conv(inputs, width, 1)
        self.class_branch = nn.Sequential(depthwise(width, width), depthwise(width, width))
        self.box_branch = nn.Sequential(depthwise(width, width), depthwise(width, width))
        self.classes, self.box, self.objectness = (nn.Conv2d(width, n, 1) for n in (classes, 4, 1))
        for layer in (self.classes, self.objectness):
            nn.init.constant_(layer.bias, -4.6)

    def forward(self, x):
        x = self.stem(x)
        box = self.box_branch(x)
        out = torch.cat([self.box(box), self.objectness(box), self.classes(self.class_branch(x))], 1)
        return out.flatten(2).transpose(1, 2)


class Detector(nn.Module):
    def __init__(self, classes=len(CLASSES), width=16):
        super().__init__()
        w = [width * k for k in (1, 2, 4, 8, 16)]
        stem = nn.Sequential(nn.Conv2d(3, w[0], 6, 2, 2, bias=False), nn.BatchNorm2d(w[0], eps=1e-3, momentum=0.03),
                             nn.SiLU())
        self.dark3 = nn.Sequential(stem, depthwise(w[0], w[1], stride=2), CrossStage(w[1], w[1], 1),
                                   depthwise(w[1], w[2], stride=2), CrossStage(w[2], w[2], 3))
        self.dark4 = nn.Sequential(depthwise(w[2], w[3], stride=2), CrossStage(w[3], w[3], 3))
        self.dark5 = nn.Sequential(depthwise(w[3], w[4], stride=2), PyramidPooling(w[4]),
                                   CrossStage(w[4], w[4], 1, shortcut=False))
        self.lateral5, self.lateral4 = conv(w[4], w[3], 1), conv(w[3], w[2], 1)
        self.up4, self.up3 = CrossStage(2 * w[3], w[3], 1, False), CrossStage(2 * w[2], w[2], 1, False)
        self.down3, self.down4 = depthwise(w[2], w[2], stride=2), depthwise(w[3], w[3], stride=2)
        self.out4, self.out5 = CrossStage(2 * w[2], w[3], 1, False), CrossStage(2 * w[3], w[4], 1, False)
        self.heads = nn.ModuleList([Head(n, w[2], classes) for n in (w[2], w[3], w[4])])
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def raw(self, x):
        """Predictions with scores before the sigmoid."""
        c3 = self.dark3(x)
        c4 = self.dark4(c3)
        p5 = self.lateral5(self.dark5(c4))
        p4 = self.lateral4(self.up4(torch.cat([self.upsample(p5), c4], 1)))
        n3 = self.up3(torch.cat([self.upsample(p4), c3], 1))
        n4 = self.out4(torch.cat([self.down3(n3), p4], 1))
        n5 = self.out5(torch.cat([self.down4(n4), p5], 1))
        return torch.cat([head(level) for head, level in zip(self.heads, (n3, n4, n5))], 1)

    def forward(self, x):
        out = self.raw(x)
        return torch.cat([out[..., :4], out[..., 4:].sigmoid()], -1)


def cells(size=INPUT, device=None):
    """(cell positions A x 2, strides A) of the predictions."""
    grid, strides = [], []
    for stride in STRIDES:
        n = size // stride
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        grid.append(torch.stack([x, y], -1).reshape(-1, 2))
        strides.append(torch.full((n * n,), stride))
    return torch.cat(grid).float().to(device), torch.cat(strides).float().to(device)


def decode(out, grid, strides):
    """Boxes [..., A, 4] as x0, y0, x1, y1 in input pixels."""
    centre = (out[..., :2] + grid) * strides[:, None]
    half = out[..., 2:4].clamp(max=8).exp() * strides[:, None] / 2
    return torch.cat([centre - half, centre + half], -1)


def pair_iou(a, b):
    """IoU of boxes [..., M, 4] with [..., A, 4] -> [..., M, A]."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[..., 2:] - x[..., :2]).clamp(min=0).prod(-1)
    return inter / (area(a) + area(b) - inter).clamp(min=1e-6)


@torch.no_grad()
def assign(boxes, scores, objectness, grid, strides, truth, labels):
    """SimOTA for a batch: truth [B, M, 4], labels [B, M] with -1 for padding -> matched truth [B, A] or -1, IoU [B, M, A]."""
    valid = labels >= 0
    iou = pair_iou(truth, boxes) * valid[..., None]
    centre = (truth[..., :2] + truth[..., 2:]) / 2
    anchors = (grid + 0.5) * strides[:, None]
    near = ((anchors[None, None] - centre[:, :, None]).abs() < 1.5 * strides[:, None]).all(-1) & valid[..., None]
    p = (scores.sigmoid() * objectness.sigmoid()[..., None]).sqrt().clamp(1e-6, 1 - 1e-6)
    background = -(1 - p).log().sum(-1)
    own = torch.gather(p.transpose(1, 2), 1, labels.clamp(min=0)[..., None].expand(-1, -1, p.shape[1]))
    cost = background[:, None] + (1 - own).log() - own.log() - 3 * (iou + 1e-8).log() + 1e5 * ~near
    k = (iou * near).topk(10, -1).values.sum(-1).int().clamp(min=1)
    best, index = (-cost).topk(10, -1)
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    chosen.scatter_(-1, index, (torch.arange(10, device=cost.device) < k[..., None]) & (best > -1e4))
    cost = torch.where(chosen, cost, torch.inf)
    matched = cost.argmin(1)
    return torch.where(chosen.any(1), matched, -1), iou


def loss(raw, grid, strides, truth, labels):
    boxes = decode(raw, grid, strides)
    matched, iou = assign(boxes, raw[..., 5:], raw[..., 4], grid, strides, truth, labels)
    positive = matched >= 0
    count = positive.sum().clamp(min=1)
    batch, anchor = positive.nonzero(as_tuple=True)
    which = matched[batch, anchor]
    got, want = boxes[batch, anchor], truth[batch, which]
    low, high = torch.maximum(got[:, :2], want[:, :2]), torch.minimum(got[:, 2:], want[:, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1)
    overlap = inter / (area(got) + area(want) - inter).clamp(min=1e-6)
    hull = (torch.maximum(got[:, 2:], want[:, 2:]) - torch.minimum(got[:, :2], want[:, :2])).prod(-1)
    union = (area(got) + area(want) - inter)
    box_loss = (1 - overlap + (hull - union) / hull.clamp(min=1e-6)).sum() / count
    bce = nn.functional.binary_cross_entropy_with_logits
    object_loss = bce(raw[..., 4], positive.to(raw.dtype), reduction="sum") / count
    target = nn.functional.one_hot(labels[batch, which], raw.shape[-1] - 5) * iou[batch, which, anchor][:, None]
    class_loss = bce(raw[batch, anchor][:, 5:], target.to(raw.dtype), reduction="sum") / count
    return 5 * box_loss + object_loss + class_loss
