#!/usr/bin/env python3
"""How fluid the page is with 5,000 shots and 50 lanes, and how soon a video that is known shows itself, in Chromium.

    .venv/bin/python bench/page.py [--json FILE]       PRISMVID_PROGRAM names another program than build/release/prismvid
"""
import argparse
import json
import pathlib
import random
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/web"))
from served import Browser, Served  # noqa: E402

SHOTS = 5000
HOURS_S = 7200.0
SECONDS = 5
PAINTS = 7

# Frames that the browser shows while the timeline is moved at every frame.
MOVE = """async ([how, seconds]) => {
  const canvas = document.querySelector('.lane-canvas');
  const box = canvas.getBoundingClientRect();
  const times = [];
  await new Promise((resolve) => {
    const step = (now) => {
      times.push(now);
      const turn = Math.sin(times.length / 60) > 0 ? -1 : 1;
      const wheel = how === 'zoom' ? { deltaY: 40 * turn } : { deltaX: 30 * turn };
      canvas.dispatchEvent(new WheelEvent('wheel', { ...wheel, clientX: box.left + box.width * (0.5 + 0.4 * Math.sin(times.length / 30)), clientY: box.top + 50, bubbles: true, cancelable: true }));
      if (now - times[0] < seconds * 1000) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  });
  return times.slice(1).map((time, i) => time - times[i]);
}"""


def large_document(document):
    """The demonstration's document, stretched to two hours: 5,000 shots and 50 lanes."""
    chance = random.Random(1)
    keyframes = [shot["keyframes"][0] for shot in document["shots"]]
    cuts = [0.0, *sorted(round(chance.uniform(0, HOURS_S), 3) for _ in range(SHOTS - 1)), HOURS_S]
    shots = [{"id": f"s_{i}", "start": a, "end": b, "frame_start": int(a * 25), "frame_end": int(b * 25), "transition": {"kind": "cut"},
              "keyframes": [{**keyframes[i % len(keyframes)], "t": (a + b) / 2}]} for i, (a, b) in enumerate(zip(cuts, cuts[1:]))]
    scenes = [{"id": f"sc_{i}", "start": run[0]["start"], "end": run[-1]["end"], "shots": [shot["id"] for shot in run]}
              for i, run in enumerate(shots[k:k + 12] for k in range(0, SHOTS, 12))]

    def instances(count, longest):
        starts = sorted(chance.uniform(0, HOURS_S - longest) for _ in range(count))
        return [{"start": start, "end": start + chance.uniform(0.5, longest)} for start in starts]

    people = [{"id": f"p_{i}", "name": f"Person {i}", "status": "named", "seen_seconds": 900 - i, "seen_ratio": 0.1, "instances": instances(200, 9)} for i in range(20)]
    objects = [{"id": f"o_{i}", "label": f"thing {i}", "confidence": 0.9, "seen_seconds": 600 - i, "instances": instances(200, 7)} for i in range(24)]
    captions = [{"id": f"c_{i}", "level": "window", "start": i * 6, "end": i * 6 + 6, "text": f"Caption {i}: somebody walks through the room.",
                 "evidence": [{"start": i * 6, "end": i * 6 + 6}], "by": {"stage": "caption", "engine": "vlm"}} for i in range(1200)]
    chapters = [{"id": f"ch_{i}", "start": i * 300, "end": i * 300 + 300, "title": f"Chapter {i}", "by": {"stage": "chapters"}} for i in range(24)]
    texts = [{"id": f"x_{i}", "text": f"HEADLINE {i}", "confidence": 0.9, "role": "overlay", "instances": [{"start": i * 12, "end": i * 12 + 5, "quad": [0] * 8}]} for i in range(600)]
    story = {"applicable": True, "arcs": [], "curve": [[i * 60, chance.random()] for i in range(121)], "by": {"stage": "story"}}
    video = {**document["video"], "id": "v_large", "name": "two hours", "duration": HOURS_S}
    return {**document, "video": video, "shots": shots, "scenes": scenes, "people": people, "objects": objects, "captions": captions,
            "chapters": chapters, "texts": texts, "story": story, "markers": []}


def fluidity(browser, served, document, *, all_lanes):
    page = browser.page("about:blank", width=1440, height=1900 if all_lanes else 900)
    page.route(re.compile("/v1/videos/v_large$"), lambda route: route.fulfill(json=document))
    page.route(re.compile("/v1/videos/v_large/(tracks|stream)"), lambda route: route.abort())
    page.goto(f"{served.base}/#/video/v_large")
    page.locator(".lane-names li").nth(40).wait_for()
    if all_lanes:
        page.evaluate("document.querySelector('.lanes').style.maxHeight = 'none'")
    lanes = page.locator(".lane-names li").count()
    result = {"lanes": lanes, "lanes_visible": "all" if all_lanes else "as the page shows them"}
    for how in ["zoom", "pan"]:
        gaps = sorted(page.evaluate(MOVE, [how, SECONDS]))
        result[how] = {"frames_per_second": round(1000 * len(gaps) / sum(gaps), 1), "p95_ms": round(gaps[int(len(gaps) * 0.95)], 1), "longest_ms": round(gaps[-1], 1)}
    page.context.close()
    return result


def first_paint(browser, served, video):
    """From the navigation to the first paint with content, and to the drawn timeline, each time in a fresh browser profile."""
    paints, whole = [], []
    for _ in range(PAINTS):
        page = browser.page(f"{served.base}/#/video/{video}")
        page.locator(".lane-names li").first.wait_for()
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        whole.append(page.evaluate("performance.now()"))
        page.context.close()
    return {"first_paint_ms": round(statistics.median(paints)), "first_paint_longest_ms": round(max(paints)), "timeline_ms": round(statistics.median(whole)), "timeline_longest_ms": round(max(whole))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    served = Served(deep=False)
    browser = Browser()
    try:
        page = browser.page(served.base)
        video = page.request.get(f"{served.base}/v1/videos").json()["videos"][0]["id"]
        document = large_document(page.request.get(f"{served.base}/v1/videos/{video}").json())
        result = {"shots": SHOTS, "fluidity": [fluidity(browser, served, document, all_lanes=every) for every in (False, True)], "cached_video": first_paint(browser, served, video)}
    finally:
        browser.close()
        served.close()
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text)


if __name__ == "__main__":
    main()
