"""How right captions, stories and answers are, held against the truth of a generated clip."""
import collections

from . import language

DIRECTED = ("move", "enter", "leave")


def common(a, b):
    """Longest common subsequence of two lists of texts as index pairs."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            table[i][j] = table[i + 1][j + 1] + 1 if a[i] == b[j] else max(table[i + 1][j], table[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


class Tally:
    def __init__(self):
        self.right, self.all = collections.Counter(), collections.Counter()

    def add(self, name, right, count=1):
        self.right[name] += right
        self.all[name] += count

    def counts(self):
        return {name: [self.right[name], self.all[name]] for name in sorted(self.all)}

    def table(self):
        return {name: round(self.right[name] / self.all[name], 4) for name in sorted(self.all) if self.all[name]}


def score_captions(tally, clip, got):
    """`got`: [(start, end, text)]"""
    want = [(c["start"], c["end"], c["text"]) for c in language.captions(clip)]
    openings = {s.opening for s in clip.scenes}
    pairs = common([w[2] for w in want], [g[2] for g in got])
    events = [p for p in pairs if want[p[0]][2] not in openings]
    wanted = sum(w[2] not in openings for w in want)
    tally.add("captions: events right, in order", len(events), wanted)
    tally.add("captions: scene openings right", len(pairs) - len(events), len(want) - wanted)
    tally.add("captions: no event made up", len(pairs), len(got))
    tally.add("captions: times within 0.5 s", sum(abs(want[i][0] - got[j][0]) <= 0.51 and abs(want[i][1] - got[j][1]) <= 0.51
                                                  for i, j in pairs), len(pairs))
    texts = [g[2] for g in got]
    for e in clip.events:
        if e.kind in DIRECTED:
            told = language.sentence(language.clause(e))
            stem = told.rsplit(" ", 1)[0]
            same = [t for t in texts if t.rsplit(" ", 1)[0] == stem]
            if same:
                tally.add("captions: direction right", told in same)
    order = [next((i for i, w in enumerate(want) if w[2] == t), None) for t in texts]
    order = [o for o in order if o is not None]
    tally.add("captions: order right", sum(a <= b for a, b in zip(order, order[1:])), max(0, len(order) - 1))


def score_story(tally, clip, got):
    """`got`: {"applicable", "arcs"}"""
    want = language.story(clip)
    tally.add("story: applicable or not", got.get("applicable") == want["applicable"])
    if want["applicable"]:
        try:
            beats = [f"{b['kind']}: {b['text']}" for b in got["arcs"][0]["beats"]]
        except (KeyError, IndexError, TypeError):
            beats = []
        goal = [f"{b['kind']}: {b['text']}" for b in want["arcs"][0]["beats"]]
        tally.add("story: beats right", len(common(goal, beats)), len(goal))


def score_answer(tally, q, got, prefix):
    """`got`: {"answer", "shown", "evidence"}"""
    right = got.get("answer") == q.answer
    if q.answer.startswith("From ") and got.get("evidence"):  # a time: right within half a second
        try:
            right = all(abs(got["evidence"][0][k] - v) <= 0.51 for k, v in zip(("start", "end"), q.evidence[0]))
        except (KeyError, TypeError, IndexError):
            right = False
    if q.shown:
        tally.add(f"{prefix}: right", right)
        tally.add(f"{prefix}, {q.topic}", right)
        tally.add(f"{prefix}: shown not denied", got.get("shown") is True)
        overlap = [any(e["start"] < b and a < e["end"] for a, b in q.evidence) for e in got.get("evidence") or []
                   if isinstance(e, dict) and {"start", "end"} <= set(e)]
        tally.add(f"{prefix}: cites the right time", bool(overlap) and all(overlap))
    else:
        tally.add(f"{prefix}: not shown recognised", got.get("shown") is False)
