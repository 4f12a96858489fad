"""Compares the packed forward pass of vlm.py with transformers' own on a random small model.

usage: python -m world.test_vlm TOKENIZER_JSON     (from tools/; CPU)
"""
import sys

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from .packing import Writer, pack
from .vlm import build, configuration, hidden, normed, patches


def alone(model, batch, document, at):
    """transformers' logits for the tokens `at` of one document, as if they were a prompt of their own."""
    ids = batch["ids"][at][None]
    kinds = (ids == model.config.image_token_id).int() + 2 * (ids == model.config.video_token_id).int()
    pairs = [i for i, v in enumerate(batch["visual"][::60]) if batch["document"][v] == document]
    given = {}
    if pairs:
        rows = patches(batch["frames"].unflatten(0, (-1, 2))[pairs]).reshape(-1, 1536)
        pixels, grid = ("pixel_values", "image_grid_thw") if (kinds == 1).any() else \
            ("pixel_values_videos", "video_grid_thw")
        given = {pixels: rows, grid: torch.tensor([[len(pairs), 12, 20]])}
    return model(input_ids=ids, mm_token_type_ids=kinds, **given).logits[0]


@torch.no_grad()
def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    torch.manual_seed(0)
    model = build(configuration(tokenizer, small=True)).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.08)
    writer = Writer(tokenizer, 3)
    batch = pack(lambda: writer.some(0.5), 3000, 14)
    text = model.model.language_model
    logits = F.linear(normed(text.norm, hidden(model, batch)), text.embed_tokens.weight)
    worst, branches = 0.0, 0
    for document in range(int(batch["document"].max())):
        tokens = (batch["document"] == document).nonzero()[:, 0]
        if (batch["labels"][tokens] < 0).all():  # padding
            continue
        branch, parent = batch["branch"][tokens], batch["parent"][tokens]
        for b in branch.unique():
            own = branch == b
            at = tokens[(branch == 0) | own | (branch == parent[own][0])]
            worst = max(worst, (alone(model, batch, document, at) - logits[at]).abs().max().item())
            branches += 1
    print(f"{branches} branches, largest difference of a logit {worst:.2e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
