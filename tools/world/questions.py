"""Questions about a clip with their answers and evidence, and questions it does not answer."""
import dataclasses

from .drawing import COLOURS, SHAPES, WIDTH
from .language import a_name, base_clause, clause, seconds, sentence


@dataclasses.dataclass
class Question:
    topic: str
    text: str
    answer: str
    evidence: list  # [(start, end)] in clip seconds; empty when not shown
    shown: bool = True

    def reply(self, offset=0.0):
        return {"evidence": [{"start": seconds(a + offset), "end": seconds(b + offset)} for a, b in self.evidence],
                "shown": self.shown, "answer": self.answer}


class Facts:
    """What a clip shows, looked up by name."""

    def __init__(self, clip):
        self.clip = clip
        self.events = [e for e in clip.events if e.kind != "text"]
        self.seen = []  # (name, shape, start, end, actor): one for each name of each actor in a scene
        for scene in clip.scenes:
            for actor in scene.actors:
                if not actor.presence:
                    continue
                start, end = max(actor.presence[0][0], scene.start), min(actor.presence[-1][1], scene.end)
                changes = [t for t, _ in actor.colours[1:]]
                for a, b in zip([start] + changes, changes + [end]):
                    self.seen.append((actor.name(a + 1e-3), actor.shape, a, b, actor))
        self.names = {s[0] for s in self.seen}
        self.shapes, self.colours = {s[1] for s in self.seen}, {n.split()[0] for n in self.names}

    def spans(self, test):
        spans = sorted((a, b) for name, shape, a, b, _ in self.seen if test(name, shape))
        merged = []
        for a, b in spans:
            if merged and a <= merged[-1][1] + 0.01:
                merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
            else:
                merged.append((a, b))
        return merged

    def only(self, event):
        """True when no other event of this kind has the same subject."""
        return sum(e.kind == event.kind and e.subject == event.subject for e in self.events) == 1


def _absent(facts, rng):
    """A name that never occurs, often sharing its colour or shape with one that does."""
    for _ in range(30):
        name = f"{rng.choice(list(COLOURS))} {rng.choice(SHAPES)}"
        if name not in facts.names:
            return name
    return None


def _whole(clip):
    return [(0.0, clip.duration)]


def _colour(f, rng):
    shape = rng.choice(SHAPES)
    if rng.random() < 0.85 and f.shapes:
        shape = rng.choice(sorted(f.shapes))
    text = f"What colour is the {shape}?"
    names = {n for n, s, *_ in f.seen if s == shape}
    if not names:
        return Question("colour", text, f"The video does not show {a_name(shape)}.", [], False)
    if len(names) == 1:
        colour = names.pop().split()[0]
        return Question("colour", text, f"The {shape} is {colour}.", f.spans(lambda n, s: s == shape))


def _shape(f, rng):
    colour = rng.choice(list(COLOURS))
    if rng.random() < 0.85 and f.colours:
        colour = rng.choice(sorted(f.colours))
    text = f"What shape is {colour}?"
    names = {n for n in f.names if n.startswith(colour + " ")}
    if not names:
        return Question("shape", text, f"The video does not show anything {colour}.", [], False)
    if len(names) == 1:
        name = names.pop()
        return Question("shape", text, f"The {name.split()[1]} is {colour}.", f.spans(lambda n, s: n == name))


def _number(f, rng):
    pick = rng.random()
    if pick < 0.3:
        n = len(f.clip.scenes)
        answer = "There is 1 scene." if n == 1 else f"There are {n} scenes."
        return Question("number", "How many scenes are there?", answer, [(s.start, s.end) for s in f.clip.scenes])
    if pick < 0.65:
        n = len({id(s[4]) for s in f.seen})
        answer = "There is 1 shape." if n == 1 else f"There are {n} shapes."
        return Question("number", "How many shapes are there in all?", answer, _whole(f.clip))
    shape = rng.choice(sorted(f.shapes))
    n = len({id(s[4]) for s in f.seen if s[1] == shape})
    answer = f"There is 1 {shape}." if n == 1 else f"There are {n} {shape}{'es' if shape == 'cross' else 's'}."
    plural = shape + ("es" if shape == "cross" else "s")
    return Question("number", f"How many {plural} are there?", answer, f.spans(lambda n, s: s == shape))


def _direction(f, rng):
    events = [e for e in f.events if e.kind in ("move", "enter", "leave") and f.only(e)]
    if not events:
        return None
    e = rng.choice(events)
    if e.kind == "move" and rng.random() < 0.4:
        asked = e.detail if rng.random() < 0.5 else rng.choice(["left", "right", "up", "down"])
        yes = "Yes" if asked == e.detail else "No"
        return Question("direction", f"Does the {e.subject} move {asked}?", f"{yes}, {clause(e)}.", [(e.start, e.end)])
    text = {"move": f"Which way does the {e.subject} move?", "enter": f"From which side does the {e.subject} enter?",
            "leave": f"To which side does the {e.subject} leave?"}[e.kind]
    return Question("direction", text, sentence(clause(e)), [(e.start, e.end)])


def _order(f, rng):
    if not f.events:
        return None
    pick = rng.random()
    if pick < 0.15:
        e = f.events[0]
        return Question("order", "What happens first?", sentence(clause(e)), [(e.start, e.end)])
    if pick < 0.3:
        e = f.events[-1]
        return Question("order", "What happens last?", sentence(clause(e)), [(e.start, e.end)])
    if len(f.events) < 2:
        return None
    if pick < 0.65:
        i, j = sorted(rng.sample(range(len(f.events)), 2))
        a, b = f.events[i], f.events[j]
        if clause(a) == clause(b):
            return None
        x, y = (a, b) if rng.random() < 0.5 else (b, a)
        return Question("order", f"Which happens first: {clause(x)}, or {clause(y)}?", sentence(clause(a)),
                        [(a.start, a.end), (b.start, b.end)])
    i = rng.randrange(len(f.events) - 1)
    a, b = f.events[i], f.events[i + 1]
    asked, told, word = (a, b, "after") if rng.random() < 0.6 else (b, a, "before")
    if sum(clause(e) == clause(asked) for e in f.events) > 1:
        return None
    return Question("order", f"What happens right {word} {clause(asked)}?", sentence(clause(told)),
                    [(told.start, told.end)])


def _time(f, rng):
    if not f.events:
        return None
    e = rng.choice(f.events)
    if sum(clause(o) == clause(e) for o in f.events) > 1:
        return None
    return Question("time", f"When does {base_clause(e)}?", None, [(e.start, e.end)])


def _text(f, rng):
    texts = f.clip.texts
    if rng.random() < 0.5:
        if not texts:
            return Question("text", "What text is shown?", "The video does not show any text.", [], False)
        quoted = [f'"{t.words}"' for t in texts]
        answer = f"The text {quoted[0]} is shown." if len(texts) == 1 else \
            f"The texts {', '.join(quoted[:-1])} and {quoted[-1]} are shown."
        return Question("text", "What text is shown?", answer, [(t.start, t.end) for t in texts])
    from .script import WORDS
    words = rng.choice(texts).words if texts and rng.random() < 0.75 else rng.choice(WORDS)
    found = [t for t in texts if t.words == words]
    text = f'When is the text "{words}" shown?'
    if not found:
        return Question("text", text, f'The video does not show the text "{words}".', [], False)
    return Question("text", text, None, [(t.start, t.end) for t in found]) if len(found) == 1 else None


def _story(f, rng):
    found = [e for e in f.events if e.kind in ("chase", "meet", "hide", "colour") and f.only(e)]
    if not found:
        return None
    e = rng.choice(found)
    whom = sum(o.kind == e.kind and o.other == e.other for o in f.events) == 1
    if e.kind == "chase" and whom:
        text = rng.choice([f"Who chases the {e.other}?", f"Whom does the {e.subject} chase?"])
    elif e.kind == "meet" and whom:
        text = rng.choice([f"Who meets the {e.other}?", f"Whom does the {e.subject} meet?"])
    elif e.kind == "hide":
        text = rng.choice([f"Where does the {e.subject} hide?", "Who hides behind the wall?"])
        if sum(o.kind == "hide" for o in f.events) > 1:
            return None
    elif e.kind == "colour":
        text = f"What colour does the {e.subject} turn?"
    else:
        return None
    return Question("story", text, sentence(clause(e)), [(e.start, e.end)])


def _ground(f, rng):
    scene, when = (f.clip.scenes[0], "at the beginning") if rng.random() < 0.5 else (f.clip.scenes[-1], "at the end")
    if len(f.clip.scenes) == 1:
        when = ""
    text = f"What is the background like{' ' + when if when else ''}?"
    return Question("background", text, f"The background is {scene.pattern} {scene.ground}.", [(scene.start, scene.end)])


def _presence(f, rng):
    name = rng.choice(sorted(f.names)) if rng.random() < 0.5 and f.names else _absent(f, rng)
    if name is None:
        return None
    text = f"Is there {a_name(name)}?"
    if name in f.names:
        return Question("presence", text, f"Yes, there is {a_name(name)}.", f.spans(lambda n, s: n == name))
    return Question("presence", text, f"The video does not show {a_name(name)}.", [], False)


def _where(f, rng):
    name, _, start, end, actor = rng.choice(f.seen)
    times = [k / 2 for k in range(int(start * 2) + 1, int(end * 2))]
    if not times or sum(s[0] == name for s in f.seen) > 1:
        return None
    t = rng.choice(times)
    x = actor.state(t)[0] / WIDTH
    scene = next(s for s in f.clip.scenes if s.start <= t < s.end)
    if f.clip.in_dissolve(t) or not -0.02 < x < 1.02 or \
            (scene.wall and scene.wall[0] - 20 < x * WIDTH < scene.wall[2] + 20):
        return None
    for side, low, high in (("on the left", -1, 0.34), ("in the middle", 0.4, 0.6), ("on the right", 0.66, 2)):
        if low < x < high:
            return Question("where", (name, t), f"The {name} is {side}.", [(t, t + 0.5)])
    return None


def _nothing(f, rng):
    """About someone or something that the clip does not show."""
    from .clips import Event
    name = _absent(f, rng) if rng.random() < 0.6 or not f.names else rng.choice(sorted(f.names))
    if name is None:
        return None
    kinds = ["move", "grow", "shrink", "hide"]
    kind = rng.choice(kinds if name in f.names else kinds + ["appear", "disappear", "enter", "leave"])
    detail = {"move": ["left", "right", "up", "down"], "enter": ["left", "right"], "leave": ["left", "right"]}
    e = Event(kind, 0, 0, name, detail=rng.choice(detail[kind]) if kind in detail else "")
    if any(o.kind == kind and o.subject == name for o in f.events):
        return None
    text = rng.choice([f"When does {base_clause(e)}?", f"Which way does the {name} move?" if kind == "move" else
                       f"When does {base_clause(e)}?"])
    answer = "The video does not show that." if name in f.names else f"The video does not show {a_name(name)}."
    return Question("not_shown", text, answer, [], False)


_MAKERS = [_colour, _shape, _number, _direction, _direction, _order, _order, _time, _time, _text, _story, _story,
           _ground, _presence, _where, _nothing, _nothing]


def question(facts, rng, offset=0.0):
    """One question whose answer is certain, times in it and in its answer moved by `offset`."""
    while True:
        q = rng.choice(_MAKERS)(facts, rng)
        if q is None:
            continue
        if q.topic == "where":
            name, t = q.text
            q.text = f"Where is the {name} at {seconds(t + offset)} seconds?"
        if q.answer is None:
            a, b = (seconds(v + offset) for v in q.evidence[0])
            q.answer = f"From {a} to {b} seconds."
        return q
