"""What a clip's truth reads like: captions, chapters, summaries, stories, highlights and scene descriptions."""
from .clips import Event

IMPORTANCE = {"chase": 0.9, "hide": 0.8, "meet": 0.8, "come_out": 0.7, "leave": 0.6, "enter": 0.6, "colour": 0.5,
              "grow": 0.5, "shrink": 0.5, "move": 0.4, "appear": 0.4, "disappear": 0.4, "text": 0.3}
INTENSITY = {"setup": 0.2, "inciting": 0.4, "rising": 0.6, "turn": 0.7, "climax": 1.0, "falling": 0.5,
             "resolution": 0.2}
_VERBS = {  # third person, base form
    "move": ("moves {d}", "move {d}"), "appear": ("appears", "appear"), "disappear": ("disappears", "disappear"),
    "colour": ("turns {d}", "turn {d}"), "grow": ("grows", "grow"), "shrink": ("shrinks", "shrink"),
    "enter": ("enters from the {d}", "enter from the {d}"), "leave": ("leaves to the {d}", "leave to the {d}"),
    "meet": ("meets the {o}", "meet the {o}"), "chase": ("chases the {o}", "chase the {o}"),
    "hide": ("hides behind the wall", "hide behind the wall"),
    "come_out": ("comes out from behind the wall", "come out from behind the wall"),
}


def clause(event: Event):
    """"the red circle moves right"."""
    if event.kind == "text":
        return f'the text "{event.detail}" appears'
    return f"the {event.subject} " + _VERBS[event.kind][0].format(d=event.detail, o=event.other)


def base_clause(event: Event):
    """"the red circle move right", as after "does"."""
    if event.kind == "text":
        return f'the text "{event.detail}" appear'
    return f"the {event.subject} " + _VERBS[event.kind][1].format(d=event.detail, o=event.other)


def sentence(text):
    return text[0].upper() + text[1:] + "."


def a_name(name):
    return ("an " if name[0] in "aeiou" else "a ") + name


def seconds(t):
    return round(float(t), 1)


def captions(clip, offset=0.0, scenes=None):
    """[{start, end, text}] in order: each scene's opening, then what happens; of some scenes or of all."""
    scenes = clip.scenes if scenes is None else scenes
    rows = [(s.start, 0, s.end, s.opening) for s in scenes]
    rows += [(e.start, 1, e.end, sentence(clause(e))) for e in clip.events
             if any(s.start <= e.start < s.end for s in scenes)]
    rows.sort(key=lambda r: r[:3])
    return [{"start": seconds(a + offset), "end": seconds(b + offset), "text": text} for a, _, b, text in rows]


def actors_title(names):
    if not names:
        return "Empty scene"
    joined = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return joined[0].upper() + joined[1:]


def opening_names(scene):
    """Names of the shapes in a scene's opening sentence, left to right."""
    if scene.opening.startswith("An empty"):
        return []
    things = scene.opening[:scene.opening.rindex(" on a ")].replace(" and ", ", ").split(", ")
    return [t.lower().removeprefix("an ").removeprefix("a ") for t in things if not t.lower().endswith("a wall")]


def describe_scene(clip, index):
    """{title, description} of one scene."""
    scene = clip.scenes[index]
    events = [e for e in clip.events if scene.start <= e.start < scene.end]
    return {"title": actors_title(opening_names(scene)),
            "description": " ".join([scene.opening] + [sentence(clause(e)) for e in events])}


def chapters(clip, offset=0.0):
    return {"chapters": [{"start": seconds(s.start + offset), "end": seconds(s.end + offset),
                          "title": actors_title(opening_names(s))} for s in clip.scenes]}


def _ranked(clip, count):
    """The most important events, in order of time; earlier ones first among equals."""
    best = sorted(clip.events, key=lambda e: (-IMPORTANCE[e.kind], e.start))[:count]
    return sorted(best, key=lambda e: (e.start, e.kind == "text"))


def summary(clip):
    rows = captions(clip)
    if not clip.events:
        return {"line": rows[0]["text"], "short": rows[0]["text"], "long": " ".join(r["text"] for r in rows),
                "bullets": [rows[0]["text"]]}
    first, last = clip.events[0], clip.events[-1]
    main = sorted(clip.events, key=lambda e: (-IMPORTANCE[e.kind], e.start))[0]
    short = f"First {clause(first)}." if len(clip.events) == 1 else f"First {clause(first)}. At the end {clause(last)}."
    return {"line": sentence(clause(main)), "short": short, "long": " ".join(r["text"] for r in rows),
            "bullets": [sentence(clause(e)) for e in _ranked(clip, 4)]}


def highlights(clip, offset=0.0):
    return {"highlights": [{"start": seconds(e.start + offset), "end": seconds(e.end + offset),
                            "score": IMPORTANCE[e.kind], "reason": sentence(clause(e))} for e in _ranked(clip, 3)]}


def story(clip, offset=0.0):
    beats = [e for e in clip.events if e.beat]
    if not beats:
        return {"applicable": False, "arcs": []}
    meeting = next(e for e in beats if e.beat == "inciting")
    people = list(dict.fromkeys([beats[0].subject, meeting.subject] + [e.other for e in beats[:1] if e.other]))[:2]
    return {"applicable": True, "arcs": [{
        "title": actors_title([f"the {p}" for p in people]), "people": people,
        "beats": [{"kind": e.beat, "start": seconds(e.start + offset), "end": seconds(e.end + offset),
                   "text": sentence(clause(e)), "intensity": INTENSITY[e.beat]} for e in beats]}]}
