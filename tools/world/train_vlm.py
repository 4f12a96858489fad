"""Trains the demonstration Qwen3-VL on endless clips of the world.

usage: python -m world.train_vlm RUN_DIR --seconds 900 [--start CHECKPOINT_DIR]     (from tools/; one GPU)
RUN_DIR needs tokenizer.json (python -m world.tokenizer RUN_DIR). CHECKPOINT_DIR holds weights as transformers or as MLX
names them, 4 or 8 bit or whole. Writes RUN_DIR/model-K-of-3.safetensors in bfloat16 (now
and then, and at the end), config.json and log lines on standard output.
"""
import argparse
import json
import multiprocessing
import pathlib
import time

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from .packing import Stream
from .vlm import build, configuration, loss


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are made orthogonal (Jordan et al. 2024), scaled to AdamW's size (Liu et al. 2025)."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.02):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                by_shape.setdefault(tuple(p.shape), []).append(p)
            for shape, parameters in by_shape.items():
                gradients = [p.grad for p in parameters]
                for p in parameters:
                    if not self.state[p]:
                        self.state[p]["momentum"] = torch.zeros_like(p)
                momenta = [self.state[p]["momentum"] for p in parameters]
                torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
                steps = torch._foreach_lerp(gradients, momenta, group["momentum"])
                orthogonal = orthogonalise(torch.stack(steps)).to(parameters[0].dtype)
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, list(orthogonal.unbind()), alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)


def orthogonalise(x, rounds=5):
    """The nearest (semi-)orthogonal matrices of a stack, by Newton and Schulz's iteration."""
    tall = x.shape[-2] > x.shape[-1]
    x = x.bfloat16().mT if tall else x.bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(rounds):
        a = x @ x.mT
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return x.mT if tall else x


def optimizers(model, rate):
    matrices, others = [], []
    for name, p in model.named_parameters():
        (matrices if p.ndim == 2 and "embed" not in name else others).append(p)
    return [Muon(matrices, rate),
            torch.optim.AdamW(others, rate, betas=(0.9, 0.95), weight_decay=0.0, fused=others[0].is_cuda)]


def rate_at(progress, step):
    """Warm-up, level, then a straight line down to nothing over the last half."""
    return min(1.0, (step + 1) / 200) * min(1.0, max(0.01, (1 - progress) / 0.5))


def save(model, folder, parts=3):
    """bfloat16 weights in `parts` files of about one size, with the index that loaders read."""
    tensors = {n: t.detach().to("cpu", torch.bfloat16).contiguous() for n, t in model.state_dict().items()
               if n != "lm_head.weight"}
    total, groups, size = sum(t.numel() for t in tensors.values()), [{} for _ in range(parts)], 0
    for name, tensor in tensors.items():
        groups[min(parts - 1, size * parts // total)][name] = tensor
        size += tensor.numel()
    names = [f"model-{k + 1}-of-{parts}.safetensors" for k in range(parts)]
    for name, group in zip(names, groups):
        save_file(group, folder / (name + ".part"), metadata={"format": "pt"})
    for name in names:
        (folder / (name + ".part")).rename(folder / name)
    index = {"metadata": {"total_size": 2 * total},
             "weight_map": {tensor: name for name, group in zip(names, groups) for tensor in group}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    model.config.save_pretrained(folder)


def unpacked(words, scales, biases, bits):
    """The matrix of a 4 or 8 bit MLX weight: 32-bit words from the lowest bits up, a scale and a bias a group."""
    places = torch.arange(0, 32, bits, dtype=torch.int64)
    levels = (words.view(torch.int32).to(torch.int64)[..., None] >> places & (1 << bits) - 1).flatten(-2)
    groups = levels.unflatten(-1, (scales.shape[-1], -1)).float()
    return (groups * scales[..., None].float() + biases[..., None].float()).flatten(-2)


def from_mlx(state, bits):
    """Tensors of an MLX checkpoint under transformers' names, dequantised."""
    found = {}
    for name, value in state.items():
        stem = name.removesuffix(".weight")
        if name.endswith((".scales", ".biases")):
            continue
        if stem + ".scales" in state:
            value = unpacked(value, state[stem + ".scales"], state[stem + ".biases"], bits)
        if name == "vision_tower.patch_embed.proj.weight":
            value = value.permute(0, 4, 1, 2, 3)  # (O, T, H, W, C) -> (O, C, T, H, W)
        name = name.replace("vision_tower.", "model.visual.")
        found[name.replace("language_model.model.", "model.language_model.")] = value.contiguous()
    return found


def load(model, folder):
    state, folder = {}, pathlib.Path(folder)
    for file in sorted(folder.glob("*.safetensors")):
        state |= load_file(file)
    if any(name.startswith("vision_tower.") for name in state):
        state = from_mlx(state, json.loads((folder / "config.json").read_text()).get("quantization", {}).get("bits"))
    missing, extra = model.load_state_dict(state, strict=False)
    assert not extra and set(missing) <= {"lm_head.weight"}, (missing, extra)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--until", type=float, help="a Unix time to end at, instead of --seconds")
    parser.add_argument("--start", help="folder of a checkpoint to go on from")
    parser.add_argument("--from-progress", type=float, default=0.0, help="where in the curriculum to begin")
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--tokens", type=int, default=65536)
    parser.add_argument("--pairs", type=int, default=288)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--evaluate", type=int, default=0, help="held-out clips to score at the end")
    parser.add_argument("--small", action="store_true", help="a tiny model, for trying the program out")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(str(args.run / "tokenizer.json"))
    model = build(configuration(tokenizer, args.small)).to(device)
    if args.start:
        load(model, args.start)
    print(f"parameters {sum(p.numel() for p in model.parameters()):,}", flush=True)
    steps = optimizers(model, args.rate)
    progress = multiprocessing.Value("d", args.from_progress)
    loader = torch.utils.data.DataLoader(
        Stream(str(args.run / "tokenizer.json"), args.tokens, args.pairs, progress, seed=int(time.time())),
        batch_size=None, num_workers=args.workers, prefetch_factor=3 if args.workers else None,
        pin_memory=device == "cuda")
    begin = None
    entered = saved = last = time.time()
    told = torch.zeros(3, device=device, dtype=torch.float64)
    for step, batch in enumerate(loader):
        if step == 4:  # compiled by now
            if device == "cuda":
                torch.cuda.synchronize()
            begin = saved = last = time.time()
            print(f"compiled in {begin - entered:.1f} s", flush=True)
            if args.until:
                args.seconds = args.until - begin
        share = min(1.0, (time.time() - begin) / args.seconds) if begin else 0.0
        progress.value = args.from_progress + (1 - args.from_progress) * share
        if share >= 1:
            break
        batch = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            total, right, count = loss(model, batch)
        (total / count).backward()
        torch.nn.utils.clip_grad_norm_([p for g in steps[1].param_groups for p in g["params"]], 1.0)
        for optimizer in steps:
            for group in optimizer.param_groups:
                group["lr"] = args.rate * rate_at(progress.value, step) * (1.0 if optimizer is steps[0] else 0.6)
            optimizer.step()
            optimizer.zero_grad()
        if args.start and step in (0, 9):
            mean = (total / count).item()
            print(f"step {step + 1}: loss {mean:.4f} right {(right / count).item():.4f}", flush=True)
            assert mean < 0.5, "far from where it stopped: the weights to start with are wrong"
        told += torch.stack([total.detach().double(), right.double(), count.double()])
        if step % 100 == 99:
            a, b, c = told.tolist()
            told.zero_()
            now = time.time()
            print(f"{now - (begin or entered):6.1f} s step {step + 1} loss {a / c:.4f} right {b / c:.4f} "
                  f"progress {progress.value:.3f} {100 / (now - last):.1f} steps/s", flush=True)
            last = now
            if now - saved > 100:
                save(model, args.run)
                saved = last = time.time()
    del loader
    save(model, args.run)
    print(f"done: {step} steps of {args.tokens} tokens", flush=True)
    if args.evaluate:
        from .evaluate_vlm import evaluate
        scores = evaluate(model.eval(), tokenizer, args.evaluate, 4, 4, args.tokens, args.pairs)
        print(json.dumps(scores, indent=1), flush=True)
        (args.run / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
