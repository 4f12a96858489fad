"""Documents of the world's tasks packed into batches of one fixed size.

A document is pictures followed by branches: several (prompt, reply) pairs that each see the pictures and themselves but
not each other, so that every branch is learned as if it stood alone while the pictures are read once. Questions share
the opening of their prompt too (a branch's `parent`).
"""
import functools
import random

import numpy as np
import torch

from .questions import Facts
from .script import write_clip
from .tasks import (HELD_OUT, PICTURE_HEIGHT, PICTURE_WIDTH, READING, TOKENS_PER_PAIR, Tasks, look, some_view,
                    timed_prefix, view_times, whole_view)

GRID_H, GRID_W = PICTURE_HEIGHT // 32, PICTURE_WIDTH // 32


class Encoder:
    """Token ids of texts and of the chat format's parts."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        token = tokenizer.token_to_id
        self.image_pad, self.video_pad = token("<|image_pad|>"), token("<|video_pad|>")
        self.vision_start, self.vision_end = token("<|vision_start|>"), token("<|vision_end|>")
        self.end = token("<|im_end|>")
        self.user = [token("<|im_start|>")] + self.text("user\n")
        self.assistant = [self.end] + self.text("\n") + [token("<|im_start|>")] + self.text("assistant\n")
        self.time = functools.lru_cache(maxsize=20000)(self.text)

    def text(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids


class Document:
    def __init__(self, encoder):
        self.e, self.ids, self.positions, self.branch, self.labels = encoder, [], [], [], []
        self.parent = []
        self.next, self.branches, self.after_pictures = 0, 0, 0
        self.frames, self.visual, self.tags = None, [], {}

    def _add(self, ids, positions, branch, labels, parent=0):
        self.ids += ids
        self.parent += [parent] * len(ids)
        self.positions.append(positions)
        self.branch += [branch] * len(ids)
        self.labels += labels

    def text(self, ids, branch=0):
        start = self.next
        self.next += len(ids)
        self._add(ids, np.broadcast_to(np.arange(start, self.next), (3, len(ids))), branch, [-100] * len(ids))

    def pair(self, pad):
        rows, columns = np.divmod(np.arange(TOKENS_PER_PAIR), GRID_W)
        self.visual.append(len(self.ids))
        self._add([pad] * TOKENS_PER_PAIR,
                  np.stack([np.full(TOKENS_PER_PAIR, self.next), self.next + rows, self.next + columns]), 0,
                  [-100] * TOKENS_PER_PAIR)
        self.next += max(GRID_H, GRID_W)

    def video(self, frames, shown_times, outer):
        """outer: vision_start and vision_end round the whole video too (the newer of two dialects)."""
        e, self.frames = self.e, frames
        self.text(e.user + [e.vision_start] * outer)
        for label in timed_prefix(shown_times):
            self.text(list(e.time(label)) + [e.vision_start])
            self.pair(e.video_pad)
            self.text([e.vision_end])
        self.text([e.vision_end] * outer)
        self.after_pictures = self.next

    def picture(self, frame):
        self.frames = np.stack([frame, frame])
        self.text(self.e.user + [self.e.vision_start])
        self.pair(self.e.image_pad)
        self.text([self.e.vision_end])
        self.after_pictures = self.next

    def ask(self, prompt, reply, opening=None, tag=""):
        """A branch; without pictures it brings its own start. `opening`: what share_opening() gave. An empty reply
        leaves the branch at the point where the model speaks."""
        e, (parent, start) = self.e, opening or (0, self.after_pictures)
        self.branches += 1
        asked = ([] if self.frames is not None else e.user) + e.text(prompt) + e.assistant
        told = e.text(reply) + [e.end] if reply else []
        ids = asked + told
        labels = [-100] * (len(asked) - 1) + told + [-100]
        self.tags[self.branches] = tag
        positions = np.broadcast_to(np.arange(start, start + len(ids)), (3, len(ids)))
        self._add(ids, positions, self.branches, labels, parent)

    def share_opening(self, text):
        """The beginning of several prompts, read once."""
        self.branches += 1
        self.next = self.after_pictures
        self.text(self.e.text(text), self.branches)
        return self.branches, self.next

    def __len__(self):
        return len(self.ids)

    @property
    def pairs(self):
        return len(self.visual)


class Writer:
    """Chooses what to train on as training goes on (`progress` 0..1)."""

    def __init__(self, tokenizer, seed):
        self.encoder, self.tasks, self.rng = Encoder(tokenizer), Tasks(tokenizer), random.Random(seed)

    def new_clip(self, **wanted):
        return write_clip(HELD_OUT + self.rng.randrange(1 << 40), **wanted)

    def picture(self):
        clip, rng, document = self.new_clip(), self.rng, Document(self.encoder)
        t = rng.uniform(0, clip.duration - 0.05)
        while clip.in_dissolve(t):
            t = rng.uniform(0, clip.duration - 0.05)
        document.picture(look(clip, [t], rng)[0])
        for prompt, reply in self.tasks.picture(clip, t, rng):
            document.ask(prompt, reply)
        return [document]

    def clip(self, progress):
        rng = self.rng
        easy = progress < 0.08 or rng.random() < 0.15
        clip = self.new_clip(story=False, scenes=1, events=rng.choice([1, 1, 2])) if easy else self.new_clip()
        if progress < 0.2 and clip.duration > 12:
            return []
        document = Document(self.encoder)
        view = some_view(clip, rng) if len(clip.scenes) > 1 and rng.random() < 0.5 else whole_view(clip)
        times = view_times(view, rng)
        offset = 0.0 if rng.random() < 0.7 else rng.randrange(1, 1200) / 2
        document.video(look(clip, times, rng), times + offset, rng.random() < 0.5)
        document.ask(*self.tasks.captions(clip, rng, offset, view))
        if len(clip.scenes) == 1 and rng.random() < 0.3:
            document.ask(*self.tasks.scene(clip, rng, offset))
        facts = Facts(clip)
        opening = None
        for _ in range(8):
            first, rest, reply = self.tasks.ask_in_parts(clip, facts, rng, offset, opening and opening[0], view)
            opening = opening or (first, document.share_opening(first))
            document.ask(rest, reply, opening[1])
        return [document] + [self.reading(name, clip, offset) for name in READING
                             if rng.random() < (0.25 if name == "story" else 0.12) and progress > 0.08]

    def reading(self, name, clip, offset):
        document = Document(self.encoder)
        document.ask(*self.tasks.read(name, clip, offset))
        return document

    def some(self, progress):
        pictures = 0.9 if progress < 0.04 else 0.7 if progress < 0.1 else 0.4 if progress < 0.25 else 0.2
        return self.picture() if self.rng.random() < pictures else self.clip(progress)


def pack(source, tokens, pairs, kept=None):
    """Takes documents until a batch of exactly `tokens` and `pairs` is full; what is left over is padded.

    source() gives a list of documents, empty to end early; those that were taken are appended to `kept`."""
    ids, positions = np.zeros(tokens, np.int64), np.zeros((3, tokens), np.int64)
    document, branch, parent = (np.zeros(tokens, np.int32) for _ in range(3))
    labels, frames, visual = np.full(tokens, -100, np.int64), [], []
    used = shown = number = misses = 0
    while misses < 3:
        documents = source()
        misses += not documents and kept is not None
        for d in documents:
            if shown + d.pairs > pairs or used + len(d) + TOKENS_PER_PAIR * (pairs - shown - d.pairs) > tokens:
                misses += 1
                continue
            part = slice(used, used + len(d))
            ids[part], labels[part], document[part] = d.ids, d.labels, number
            branch[part], parent[part] = d.branch, d.parent
            positions[:, part] = np.concatenate(d.positions, axis=1)
            if d.frames is not None:
                frames.append(d.frames)
                visual += [used + v for v in d.visual]
            used, shown, number = used + len(d), shown + d.pairs, number + 1
            if kept is not None:
                kept.append(d)
    for _ in range(pairs - shown):  # pictures of nothing in documents of their own
        document[used:used + TOKENS_PER_PAIR] = number
        visual.append(used)
        used, number = used + TOKENS_PER_PAIR, number + 1
    frames.append(np.zeros((2 * (pairs - shown), PICTURE_HEIGHT, PICTURE_WIDTH, 3), np.uint8))
    document[used:] = number
    index = (np.array(visual)[:, None] + np.arange(TOKENS_PER_PAIR)).reshape(-1)
    arrays = {"frames": np.concatenate(frames), "ids": ids, "positions": positions, "document": document,
              "branch": branch, "parent": parent, "labels": labels, "visual": index}
    return {name: torch.from_numpy(a) for name, a in arrays.items()}


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, tokenizer_file, tokens, pairs, progress, seed=0):
        self.settings = tokenizer_file, tokens, pairs
        self.progress, self.seed = progress, seed

    def __iter__(self):
        import cv2
        from tokenizers import Tokenizer
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        tokenizer_file, tokens, pairs = self.settings
        worker = torch.utils.data.get_worker_info()
        writer = Writer(Tokenizer.from_file(tokenizer_file), 7919 * self.seed + (worker.id if worker else 0))
        while True:
            yield pack(lambda: writer.some(self.progress.value), tokens, pairs)
