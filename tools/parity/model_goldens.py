"""Runs the reference on tiny checkpoints and keeps what it computes, stage by stage."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.video_utils import VideoMetadata

from . import chat, tiny
from .resize import picture

STEPS = 64
# Pictures are (width, height), the video (frames, width, height, frames a second).
IMAGES = {"a": (64, 96), "b": (128, 64), "c": (70, 90)}
VIDEO = (30, 64, 64, 10.0)


def part(kind):
    return {"type": kind, kind: kind}


CASES = {
    "text": [chat.user("Describe what happens in this video and picture.")],
    "image": [chat.user(part("image"), chat.text("What is this?"))],
    "three_images": [chat.SYSTEM, chat.user(chat.text("Compare"), part("image"), chat.text(" and "), part("image"),
                                            chat.text(" with "), part("image"))],
    "video": [chat.user(part("video"), chat.text("Describe this video."))],
    "image_and_video": [chat.user(part("image"), part("video"), chat.text("Is it the same?"))],
    "turns": [chat.user(part("image"), chat.text("What?")), chat.assistant("A cat."),
              chat.user(chat.text("And here?"), part("image"))],
}
# By their place in tests/golden/tokenizer/chats.json: what the checkpoints' own templates made of them.
CHATS = {"tools": 8, "thinking": 20, "thinking_tools": 28}
IMAGES_OF = {"image": "a", "three_images": "abc", "image_and_video": "b", "turns": "ba", "tools": "a", "thinking": "ba"}
WITH_STAGES = ("image", "image_and_video")


IMAGE_SETTINGS = {k: v for k, v in tiny.IMAGE_PROCESSOR.items() if k != "image_processor_type"}


def processor(tokenizer, template):
    images = Qwen2VLImageProcessorPil(**IMAGE_SETTINGS)
    videos = Qwen3VLVideoProcessor(cap_pixels_per_frame=False, **{
        k: v for k, v in tiny.VIDEO_PROCESSOR.items() if k != "video_processor_type"})
    return Qwen3VLProcessor(images, tiny.fast_tokenizer(tokenizer, template), videos, chat_template=template)


def prompt_of(case, processor_, chats):
    if case in CHATS:
        return chats[CHATS[case]]["rendered"]
    return processor_.apply_chat_template(CASES[case], tokenize=False, add_generation_prompt=True)


def inputs_of(case, processor_, chats):
    frames, width, height, fps = VIDEO
    arguments = {}
    if case in IMAGES_OF:
        arguments["images"] = [Image.fromarray(picture(*IMAGES[name], ord(name))) for name in IMAGES_OF[case]]
    if "video" in case:
        video = np.stack([picture(width, height, i) for i in range(frames)])
        arguments["videos"] = [video]
        arguments["video_metadata"] = [VideoMetadata(total_num_frames=frames, fps=fps, duration=frames / fps)]
    return processor_(text=[prompt_of(case, processor_, chats)], return_tensors="pt", **arguments)


def fast_bytes(case):
    """What the reference's fast (torchvision) processor makes of a case's pictures, as the bytes before normalisation."""
    rows = Qwen2VLImageProcessor(**IMAGE_SETTINGS)(
        [Image.fromarray(picture(*IMAGES[name], ord(name))) for name in IMAGES_OF[case]], return_tensors="pt")["pixel_values"]
    return ((rows * 0.5 + 0.5) * 255).round().to(torch.uint8)


def watch(model, kept):
    """Hooks that keep the stages of one forward pass."""
    hooks = []

    def keep(name, module, pick=lambda output: output):
        def hook(_module, _inputs, output):
            kept.setdefault(name, pick(output).detach())  # of the first call: the images come before the videos
        hooks.append(module.register_forward_hook(hook))

    def keep_input(name, module):
        def hook(_module, inputs, named):
            kept.setdefault(name, (inputs[0] if inputs else named["hidden_states"]).detach())
        hooks.append(module.register_forward_pre_hook(hook, with_kwargs=True))

    first = lambda output: output[0] if isinstance(output, tuple) else output
    visual, text = model.model.visual, model.model.language_model
    keep("patch_embed", visual.patch_embed)
    keep_input("positioned", visual.blocks[0])
    keep("block_0", visual.blocks[0], first)
    for i, merger in enumerate(visual.deepstack_merger_list):
        keep(f"deepstack_{i}", merger)
    keep("merger", visual.merger)
    # A layer's output with the deepstack vectors is what the next one is given.
    for i in range(4):
        keep_input(f"decoder_{i}", text.layers[i + 1] if i < 3 else text.norm)
    return hooks


def run(model, case, processor_, chats):
    with_stages = case in WITH_STAGES
    inputs = inputs_of(case, processor_, chats)
    kept = {}
    hooks = watch(model, kept) if with_stages else []
    with torch.no_grad():
        output = model(**inputs)
        for hook in hooks:
            hook.remove()
        positions = model.model.compute_3d_position_ids(
            input_ids=inputs["input_ids"], inputs_embeds=None, image_grid_thw=inputs.get("image_grid_thw"),
            video_grid_thw=inputs.get("video_grid_thw"), attention_mask=inputs["attention_mask"],
            mm_token_type_ids=inputs["mm_token_type_ids"]) if "mm_token_type_ids" in inputs else None
        tokens = model.generate(**inputs, max_new_tokens=STEPS, do_sample=False, eos_token_id=None,
                                pad_token_id=0)[0, inputs["input_ids"].shape[1]:]
    result = {"ids": inputs["input_ids"][0].int(), "logits": output.logits[0, -4:], "greedy": tokens.int()}
    if positions is not None:
        result["positions"] = positions[-3:, 0].int()
    if with_stages:
        result |= {f"stage.{name}": value for name, value in kept.items()}
        for name in ("pixel_values", "pixel_values_videos"):
            if name in inputs:
                result[name] = inputs[name]
    if case in IMAGES_OF:
        result["fast_bytes"] = fast_bytes(case)
    return {f"{case}.{name}": np.ascontiguousarray(value.numpy()) for name, value in result.items()}


def dump(golden, templates):
    tokenizer = Tokenizer.from_file(str(golden / "tokenizer" / "tokenizer.json"))
    chats = json.loads((golden / "tokenizer" / "chats.json").read_text())
    for kind in tiny.KINDS:
        folder = golden / "models" / kind
        model = tiny.make(kind, tokenizer, folder)
        template = Path(templates, "instruct.jinja").read_text()
        processor_ = processor(tokenizer, template)
        tensors = {}
        for case in (*CASES, *CHATS):
            tensors |= run(model, case, processor_, chats)
        if kind != "dense_tied":  # the same for all
            tensors = {name: value for name, value in tensors.items() if "pixel_values" not in name and "fast_bytes" not in name}
        save_file(tensors, folder / "golden.bin")
        print(kind, {p.name: p.stat().st_size for p in folder.iterdir()})
