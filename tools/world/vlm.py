"""The demonstration Qwen3-VL: its configuration, and a forward pass over packed documents for training.

The model is transformers' Qwen3VLForConditionalGeneration, nothing added or left out. Training does not call its
forward: `forward` below reads the same modules in the same order, but runs the tower on all pairs of frames at once and
the decoder on one long row of documents with a block-sparse mask (FlexAttention). test_vlm.py holds the two together.
"""
import functools

import torch
import torch.nn.functional as F
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.vision_utils import get_vision_interpolation_indices_and_weights, get_vision_position_ids

from .tasks import PICTURE_HEIGHT, PICTURE_WIDTH

COMPILE = torch.cuda.is_available()


def compiled(function):
    return torch.compile(function, dynamic=False) if COMPILE else function


def configuration(tokenizer, small=False):
    """The demonstration's shape; `small` for tests."""
    token = tokenizer.token_to_id
    hidden, layers, tower, depth = (128, 4, 64, 4) if small else (384, 7, 192, 6)
    return Qwen3VLConfig(
        text_config=dict(
            vocab_size=1152, hidden_size=hidden, intermediate_size=256 if small else 1024, num_hidden_layers=layers,
            num_attention_heads=hidden // 64, num_key_value_heads=2, head_dim=64, rms_norm_eps=1e-6,
            max_position_embeddings=32768, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 100000.0, "mrope_section": [12, 10, 10],
                             "mrope_interleaved": True}),
        vision_config=dict(
            depth=depth, hidden_size=tower, intermediate_size=4 * tower, num_heads=tower // 64, out_hidden_size=hidden,
            num_position_embeddings=576, deepstack_visual_indexes=[0, 1, 2] if small else [1, 3, 4]),
        image_token_id=token("<|image_pad|>"), video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"), vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True)


def build(config):
    model = Qwen3VLForConditionalGeneration._from_config(config, attn_implementation="sdpa")
    model.tie_weights()
    return model


def patches(frames):
    """Pictures [pairs, 2, H, W, 3] as uint8 -> rows [pairs, H/16 * W/16, 1536] in the tower's order, -1..1."""
    n, t, h, w, c = frames.shape
    x = frames.reshape(n, t, h // 32, 2, 16, w // 32, 2, 16, c).permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
    return (x.float() / 127.5 - 1).reshape(n, (h // 16) * (w // 16), -1)


@functools.lru_cache(maxsize=4)
def _tower_tables(side, head_dim, theta, device):
    """(corner indices, corner weights, cos, sin) for one pair's grid."""
    grid = torch.tensor([[1, PICTURE_HEIGHT // 16, PICTURE_WIDTH // 16]], device=device)
    index, weight = get_vision_interpolation_indices_and_weights(
        grid, num_grid_per_side=side, mode="bilinear", align_corners=True, spatial_merge_size=2, kwargs={})
    rows, columns = get_vision_position_ids(grid, 2, kwargs={}).float().unbind(-1)
    frequency = 1.0 / theta ** (torch.arange(0, head_dim // 2, 2, device=device).float() / (head_dim // 2))
    angle = torch.cat([rows[:, None] * frequency, columns[:, None] * frequency], -1).repeat(1, 2)
    return index, weight, angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """x [..., tokens, head_dim] with cos, sin [tokens, head_dim], in float32."""
    a, b = x.float().chunk(2, -1)
    return (x.float() * cos + torch.cat([-b, a], -1) * sin).to(x.dtype)


@compiled
def embed_patches(weight, bias, rows, position):
    x = F.linear(rows.to(weight.dtype), weight, bias)
    return (x + position).to(x.dtype)


@compiled
def tower_block(block, x, cos, sin):
    n, tokens, width = x.shape
    heads = block.attn.num_heads
    q, k, v = block.attn.qkv(block.norm1(x)).view(n, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
    x = x + block.attn.proj(y.transpose(1, 2).reshape(n, tokens, width))
    return x + block.mlp.linear_fc2(F.gelu(block.mlp.linear_fc1(block.norm2(x)), approximate="tanh"))


@compiled
def merge(merger, x):
    n, tokens, width = x.shape
    x = merger.norm(x.reshape(n * tokens // 4, 4 * width)) if merger.use_postshuffle_norm else \
        merger.norm(x).reshape(n * tokens // 4, 4 * width)
    return merger.linear_fc2(F.gelu(merger.linear_fc1(x)))


def see(visual, frames):
    """Pairs of pictures -> (features [pairs * 60, hidden], the three that go into the decoder's first layers)."""
    config = visual.config
    index, weight, cos, sin = _tower_tables(visual.num_grid_per_side, config.hidden_size // config.num_heads,
                                            config.rope_parameters["rope_theta"], frames.device)
    position = (visual.pos_embed.weight.float()[index] * weight[..., None]).sum(1)
    x = embed_patches(visual.patch_embed.proj.weight.flatten(1), visual.patch_embed.proj.bias, patches(frames), position)
    deep = []
    for i, block in enumerate(visual.blocks):
        x = tower_block(block, x, cos, sin)
        if i in config.deepstack_visual_indexes:
            deep.append(merge(visual.deepstack_merger_list[len(deep)], x))
    return merge(visual.merger, x), deep


def rotary(text, positions):
    """cos, sin [tokens, head_dim] of interleaved mRoPE for positions [3, tokens]."""
    frequency = text.rotary_emb.inv_freq.float()
    angle = positions[..., None].float() * frequency
    mixed = angle[0].clone()
    for axis, section in ((1, text.rotary_emb.mrope_section[1]), (2, text.rotary_emb.mrope_section[2])):
        mixed[..., axis:3 * section:3] = angle[axis][..., axis:3 * section:3]
    mixed = mixed.repeat(1, 2)
    return mixed.cos(), mixed.sin()


def normed(norm, x):
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon) * norm.weight).to(x.dtype)


def project(layer, x, cos, sin):
    """Queries, keys, values [heads, tokens, head_dim] of x [tokens, hidden]."""
    a = layer.self_attn
    tokens = x.shape[0]
    x = normed(layer.input_layernorm, x)
    q = normed(a.q_norm, a.q_proj(x).view(tokens, -1, a.head_dim)).transpose(0, 1)
    k = normed(a.k_norm, a.k_proj(x).view(tokens, -1, a.head_dim)).transpose(0, 1)
    v = a.v_proj(x).view(tokens, -1, a.head_dim).transpose(0, 1)
    return rotate(q, cos, sin), rotate(k, cos, sin), v


def finish_layer(layer, x, attended):
    """attended [heads, tokens, head_dim]."""
    x = x + layer.self_attn.o_proj(attended.transpose(0, 1).reshape(x.shape[0], -1))
    y = normed(layer.post_attention_layernorm, x)
    return x + layer.mlp.down_proj(F.silu(layer.mlp.gate_proj(y)) * layer.mlp.up_proj(y))


@compiled
def decoder_layer(layer, x, cos, sin, mask):
    q, k, v = project(layer, x, cos, sin)
    if isinstance(mask, torch.Tensor):
        y = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask, enable_gqa=True)[0]
    else:
        from torch.nn.attention.flex_attention import flex_attention
        y = flex_attention(q[None], k[None], v[None], block_mask=mask, enable_gqa=True)[0]
    return finish_layer(layer, x, y)


@compiled
def token_loss(norm, embedding, x, labels):
    """(summed loss, right tokens, counted tokens)."""
    logits = F.linear(normed(norm, x), embedding.to(x.dtype)).float()
    loss = F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
    counted = labels >= 0
    return loss, ((logits.argmax(-1) == labels) & counted).sum(), counted.sum()


def visible(document, branch, parent):
    """The mask of packed documents: earlier tokens of the same one that are shared, or on one's own branch."""
    def rule(batch, head, q, k):
        return (document[q] == document[k]) & (q >= k) & (
            (branch[k] == 0) | (branch[k] == branch[q]) | (branch[k] == parent[q]))
    return rule


_block_mask = None


def attention_mask(batch):
    tokens = batch["ids"].shape[0]
    rule = visible(batch["document"], batch["branch"], batch["parent"])
    if batch["ids"].is_cuda:
        from torch.nn.attention.flex_attention import create_block_mask
        global _block_mask
        _block_mask = _block_mask or torch.compile(create_block_mask)
        return _block_mask(rule, None, None, tokens, tokens, device="cuda")
    at = torch.arange(tokens)
    return rule(None, None, at[:, None], at[None, :])


def hidden(model, batch):
    """Last hidden states [tokens, hidden] before the final norm, of a packed batch."""
    text = model.model.language_model
    features, deep = see(model.model.visual, batch["frames"].unflatten(0, (-1, 2)))
    x = F.embedding(batch["ids"], text.embed_tokens.weight).to(features.dtype)
    x = x.index_copy(0, batch["visual"], features)
    cos, sin = rotary(text, batch["positions"])
    mask = attention_mask(batch)
    for i, layer in enumerate(text.layers):
        x = decoder_layer(layer, x, cos, sin, mask)
        if i < len(deep):
            x = x.index_add(0, batch["visual"], deep[i].to(x.dtype))
    return x


def loss(model, batch):
    text = model.model.language_model
    return token_loss(text.norm, text.embed_tokens.weight, hidden(model, batch), batch["labels"])
