"""Greedy replies of the demonstration model to many documents at once (the branches of packing.py, left open)."""
import torch
import torch.nn.functional as F

from .packing import pack
from .vlm import attention_mask, decoder_layer, finish_layer, normed, project, rotary, see


def _prefill(model, batch):
    """(per layer (keys, values) [heads, tokens, head_dim], last hidden states) of a packed batch."""
    text = model.model.language_model
    features, deep = see(model.model.visual, batch["frames"].unflatten(0, (-1, 2)))
    x = F.embedding(batch["ids"], text.embed_tokens.weight).to(features.dtype)
    x = x.index_copy(0, batch["visual"], features)
    cos, sin = rotary(text, batch["positions"])
    mask, cache = attention_mask(batch), []
    for i, layer in enumerate(text.layers):
        _, k, v = project(layer, x, cos, sin)
        cache.append((k.detach(), v.detach()))
        x = decoder_layer(layer, x, cos, sin, mask).detach()
        if i < len(deep):
            x = x.index_add(0, batch["visual"], deep[i].detach().to(x.dtype))
    return cache, x.detach()


def _rows(batch):
    """For every open branch (document, branch): the tokens that its next token sees, in order."""
    document, branch, parent = (batch[k].cpu() for k in ("document", "branch", "parent"))
    rows = {}
    for d in range(int(document.max()) + 1):
        at = (document == d).nonzero()[:, 0]
        parents = set(parent[at].tolist())
        for b in sorted(set(branch[at].tolist()) - parents - {0}):
            own = branch[at] == b
            up = parent[at][own][0]
            rows[d, b] = at[(branch[at] == 0) | own | (branch[at] == up)]
    return rows


def _logits(text, x):
    return F.linear(normed(text.norm, x), text.embed_tokens.weight.to(x.dtype)).float()


@torch.no_grad()
def _decode(model, batch, cache, last, end, limit):
    """{(document, branch): reply token ids} by one token a step for all branches."""
    text, device = model.model.language_model, last.device
    rows = _rows(batch)
    keys = list(rows)
    lengths = torch.tensor([len(rows[k]) for k in keys], device=device)
    longest = int(lengths.max())
    index = torch.zeros(len(keys), longest, dtype=torch.long)
    for i, k in enumerate(keys):
        index[i, :len(rows[k])] = rows[k]
    index = index.to(device)
    final = index.gather(1, lengths[:, None] - 1)[:, 0]
    position = batch["positions"][0][final] + 1
    room = torch.zeros(len(keys), limit, device=device)
    caches = [tuple(torch.cat([part[:, index].transpose(0, 1), room[:, None, :, None].expand(
        -1, part.shape[0], -1, part.shape[2]).to(part.dtype)], 2) for part in pair) for pair in cache]
    seen = torch.cat([torch.arange(longest, device=device) < lengths[:, None], room.bool()], 1)
    token, out = _logits(text, last[final]).argmax(-1), []
    done = torch.zeros(len(keys), dtype=torch.bool, device=device)
    for step in range(limit):
        out.append(torch.where(done, end, token))
        done |= token == end
        if step % 8 == 7 and bool(done.all()):
            break
        x = F.embedding(token, text.embed_tokens.weight).to(last.dtype)
        cos, sin = rotary(text, position.expand(3, -1))
        seen[:, longest + step] = True
        for layer, (k, v) in zip(text.layers, caches):
            q, new_k, new_v = project(layer, x, cos, sin)
            k[:, :, longest + step], v[:, :, longest + step] = new_k.transpose(0, 1), new_v.transpose(0, 1)
            y = F.scaled_dot_product_attention(q.transpose(0, 1)[:, :, None], k, v, attn_mask=seen[:, None, None],
                                               enable_gqa=True)[:, :, 0]
            x = finish_layer(layer, x, y.transpose(0, 1))
        token = _logits(text, x).argmax(-1)
        position = position + 1
    out = torch.stack(out, 1).cpu().tolist()
    return {key: row[:row.index(end)] if end in row else row for key, row in zip(keys, out)}


def replies(model, encoder, documents, tokens=32768, pairs=144, limit=420):
    """Texts for every open branch: [{tag: text}] in the order of the documents. tags must be unique in a document."""
    waiting, results = list(documents), []
    device = next(model.parameters()).device
    while waiting:
        kept = []
        def source():
            return [waiting[len(kept)]] if len(kept) < len(waiting) else []
        batch = {k: v.to(device) for k, v in pack(source, tokens, pairs, kept).items()}
        if not kept:
            raise ValueError(f"a document of {len(waiting[0])} tokens and {waiting[0].pairs} pairs fits no batch")
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            cache, last = _prefill(model, batch)
            found = _decode(model, batch, cache, last, encoder.end, limit)
        for d, document in enumerate(kept):
            results.append({document.tags[b]: encoder.tokenizer.decode(ids, skip_special_tokens=False)
                            for (number, b), ids in found.items() if number == d and b in document.tags})
        waiting = waiting[len(kept):]
    return results
