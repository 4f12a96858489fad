"""The tokenizers used as reference: Qwen's own vocabulary and a small one trained with the same pattern."""

import base64

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
           "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
           "<|image_pad|>", "<|video_pad|>"]
VISIBLE = ["<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
           "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>"]


def finish(tokenizer):
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def add_tokens(tokenizer):
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in VISIBLE])
    return tokenizer


def small(texts, size=1000):
    tokenizer = finish(Tokenizer(models.BPE()))
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return add_tokens(tokenizer)


def printable():
    """GPT-2's table: a printable character for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def split_once(token, ranks):
    """The two parts whose merge makes `token`: what merging by rank leaves before the last step."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        pairs = [(ranks.get(parts[i] + parts[i + 1], 1 << 30), i) for i in range(len(parts) - 1)]
        rank, i = min(p for p in pairs if p[0] < ranks[token])
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return parts


def from_tiktoken(path):
    """Qwen's vocabulary from a file of ranks (dashscope's wheel carries one), with Qwen2's pattern."""
    with open(path, "rb") as lines:
        ranks = {base64.b64decode(t): int(r) for t, r in (line.split() for line in lines if line.strip())}
    table = printable()
    text = {token: "".join(table[b] for b in token) for token in ranks}
    merges = [tuple(text[part] for part in split_once(token, ranks))
              for token in sorted(ranks, key=ranks.get) if len(token) > 1]
    return add_tokens(finish(Tokenizer(models.BPE({text[t]: r for t, r in ranks.items()}, merges))))


def plain(tokenizer):
    """The same tokenizer as it reads a user's text: added tokens in it stay text."""
    return finish(Tokenizer(tokenizer.model))
