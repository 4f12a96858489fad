"""Writes clips: places shapes on a stage of cells and lets things happen to them on a grid of half seconds."""
import random

from . import drawing
from .clips import Actor, Clip, Event, Scene, Text
from .drawing import COLOURS, GROUNDS, HEIGHT, PATTERNS, SHAPES, WIDTH

COLUMNS, ROWS = [40, 100, 160, 220, 280], [62, 112]
RADII = [11.0, 17.0, 25.0]  # small, medium, large
WORDS = ("NORTH SOUTH EAST WEST HELLO WELCOME START FINISH MORNING EVENING RIVER FOREST GARDEN MARKET STATION BRIDGE "
         "SILVER GOLDEN SUMMER WINTER LEVEL GATE ROOM PART DAY ROUND STORY NEWS LIVE MUSIC PAUSE LUCKY HAPPY SECRET "
         "ISLAND CASTLE ROCKET PLANET WINDOW ORANGE JUICE TIGER EAGLE DRAGON").split()
STORIES = ["chase", "meeting", "search", "reversal"]


def choose_names(rng, count):
    """Distinct "colour shape" pairs; often all shapes and colours differ, sometimes one is shared."""
    shapes, colours = rng.sample(SHAPES, count), rng.sample(list(COLOURS), count)
    if count >= 2 and rng.random() < 0.3:
        if rng.random() < 0.6:
            shapes[1] = shapes[0]
        else:
            colours[1] = colours[0]
    return list(zip(colours, shapes))


class SceneWriter:
    """One scene being written: `now` moves forward with every event."""

    def __init__(self, rng, start, wall=False):
        self.rng, self.now, self.start = rng, start, start
        ground, pattern = rng.choice(list(GROUNDS)), rng.choice(PATTERNS)
        self.scene = Scene(start, start, ground, pattern, [])
        self.events, self.cells = [], {}
        self.wall_column = rng.choice([1, 2, 3]) if wall else None
        if wall:
            x = COLUMNS[self.wall_column]
            self.scene.wall = [x - 31.0, 26.0, x + 31.0, 146.0]

    # -- places -------------------------------------------------------------------------------------------------
    def free_cells(self):
        taken = set(self.cells.values())
        return [(c, r) for c in range(5) for r in range(2) if (c, r) not in taken and c != self.wall_column]

    def position(self, cell):
        return COLUMNS[cell[0]] + self.rng.uniform(-6, 6), ROWS[cell[1]] + self.rng.uniform(-4, 4)

    def add(self, name, cell=None, level=None, present_from=None):
        cell = cell or self.rng.choice(self.free_cells())
        colour, shape = name
        level = self.rng.choice([0, 1, 1, 2]) if level is None else level
        x, y = self.position(cell)
        actor = Actor(shape, colour, x, y, RADII[level], len(self.scene.actors))
        actor.level = level
        if present_from is not None:
            actor.presence.append([present_from, 1e9])
        self.cells[actor] = cell
        self.scene.actors.append(actor)
        return actor

    def wait(self, seconds=None):
        self.now += self.rng.choice([0.5, 1.0]) if seconds is None else seconds

    def _record(self, kind, duration, actor=None, other=None, detail="", beat=""):
        event = Event(kind, self.now, self.now + duration, actor.name(self.now) if actor else "",
                      other.name(self.now) if other else "", detail, beat)
        self.events.append(event)
        self.now += duration
        return event

    def _go(self, actor, x, y, start, end):
        actor.hold(start)
        actor.key(end, x, y)

    # -- what can happen ----------------------------------------------------------------------------------------
    def moves(self, actor):
        """[(direction, cell)] an actor can reach in a straight line past nobody and nothing."""
        c, r = self.cells[actor]
        free, found = set(self.free_cells()), []
        for direction, step in (("left", -1), ("right", 1)):
            k = c + step
            while 0 <= k < 5 and (k, r) in free:
                found.append((direction, (k, r)))
                k += step
        if (c, 1 - r) in free:
            found.append(("down" if r == 0 else "up", (c, 1 - r)))
        return found

    def move(self, actor, beat="", direction=None):
        options = [m for m in self.moves(actor) if direction in (None, m[0])]
        if not options:
            return False
        names = sorted({m[0] for m in options})
        direction = self.rng.choice(names)
        cell = self.rng.choice([m[1] for m in options if m[0] == direction])
        x, y = self.position(cell)
        x0, y0, _ = actor.last
        x, y = (x0, y) if direction in ("up", "down") else (x, y0)
        duration = self.rng.choice([1.0, 1.5, 2.0])
        self._go(actor, x, y, self.now, self.now + duration)
        self.cells[actor] = cell
        self._record("move", duration, actor, detail=direction, beat=beat)
        return True

    def appear(self, actor, beat=""):
        actor.presence.append([self.now, 1e9])
        self._record("appear", 0.5, actor, beat=beat)

    def disappear(self, actor, beat=""):
        event = self._record("disappear", 0.5, actor, beat=beat)
        actor.presence[-1][1] = event.start + 0.25
        del self.cells[actor]

    def recolour(self, actor, colour, beat=""):
        event = self._record("colour", 0.5, actor, detail=colour, beat=beat)
        actor.colours.append((event.start, colour))

    def resize(self, actor, up, beat=""):
        actor.level += 1 if up else -1
        actor.hold(self.now)
        actor.key(self.now + 1.0, radius=RADII[actor.level])
        self._record("grow" if up else "shrink", 1.0, actor, beat=beat)

    def enter(self, actor, beat=""):
        """Comes in from the nearer side to its cell."""
        side = "left" if self.cells[actor][0] < 2 else "right"
        if self.wall_column is not None:
            side = "left" if self.cells[actor][0] < self.wall_column else "right"
        x, y, radius = actor.path[-1][1:]
        actor.path = [(-1.0, -30.0 if side == "left" else WIDTH + 30.0, y, radius)]
        actor.presence.append([self.now, 1e9])
        self._go(actor, x, y, self.now, self.now + 1.5)
        self._record("enter", 1.5, actor, detail=side, beat=beat)

    def leave(self, actor, beat=""):
        column = self.cells.pop(actor)[0]
        side = "left" if column < 2 or (column == 2 and actor.last[0] < WIDTH / 2) else "right"
        if self.wall_column is not None:
            side = "left" if column < self.wall_column else "right"
        self._go(actor, -32.0 if side == "left" else WIDTH + 32.0, None, self.now, self.now + 1.5)
        event = self._record("leave", 1.5, actor, detail=side, beat=beat)
        actor.presence[-1][1] = event.end

    def meet(self, actor, other, beat=""):
        x, y, radius = other.last
        from_left = actor.last[0] < x
        gap = (radius + actor.last[2]) * 0.97
        target = x - gap if from_left else x + gap
        if not 12 < target < WIDTH - 12:
            target = 2 * x - target
        self._go(actor, target, y, self.now, self.now + 1.5)
        self._record("meet", 1.5, actor, other, beat=beat)

    def chase(self, hunter, prey, beat=""):
        """The hunter runs after the prey along the prey's own path."""
        seg = self.rng.choice([0.5, 1.0])
        path, cell = [prey.last[:2]], self.cells[prey]
        wall = self.wall_column
        side = [c for c in range(5) if wall is None or (c < wall) == (cell[0] < wall)]
        side = [c for c in side if c != wall]
        for _ in range(3):
            options = [(c, r) for c in side for r in range(2)
                       if (c, r) != cell and (abs(c - cell[0]) + abs(r - cell[1])) <= 2]
            cell = self.rng.choice(options)
            path.append(self.position(cell))
        t = self.now
        for i, (x, y) in enumerate(path[1:]):
            self._go(prey, x, y, t + i * seg, t + (i + 1) * seg)
        for i, (x, y) in enumerate(path[:-1]):
            self._go(hunter, x, y, t + i * seg, t + (i + 1) * seg)
        self.cells[prey] = cell
        self.cells[hunter] = min(((c, r) for c in side for r in range(2)),
                                 key=lambda k: abs(COLUMNS[k[0]] - path[-2][0]) + abs(ROWS[k[1]] - path[-2][1]))
        self._record("chase", 3 * seg, hunter, prey, beat=beat)

    def hide(self, actor, beat=""):
        self._go(actor, COLUMNS[self.wall_column], None, self.now, self.now + 1.0)
        self.cells[actor] = (self.wall_column, self.cells[actor][1])
        self._record("hide", 1.0, actor, beat=beat)

    def come_out(self, actor, beat="", side=None):
        c, r = self.cells[actor]
        options = [k for k in self.free_cells() if k[1] == r and abs(k[0] - c) == 1
                   and (side is None or (k[0] < c) == (side == "left"))]
        cell = self.rng.choice(options or [(c + (-1 if side == "left" else 1), r)])
        self.cells[actor] = cell
        self._go(actor, COLUMNS[cell[0]] + (-4 if cell[0] < c else 4), None, self.now, self.now + 1.0)
        self._record("come_out", 1.0, actor, beat=beat)

    # -- scenes -------------------------------------------------------------------------------------------------
    def something(self):
        """One independent event that is possible now; False if none is."""
        rng = self.rng
        present = [a for a in self.cells if a.present(self.now)]
        absent = [a for a in self.cells if not a.presence]
        tries = rng.sample(["move", "move2", "appear", "disappear", "colour", "grow", "shrink", "enter", "leave"], 9)
        for kind in tries:
            if kind in ("appear", "enter") and absent:
                getattr(self, kind)(rng.choice(absent))
                return True
            if not present:
                continue
            actor = rng.choice(present)
            if kind in ("move", "move2") and self.move(actor):
                return True
            if kind in ("disappear", "leave") and len(present) > 1:
                getattr(self, kind)(actor)
                return True
            if kind == "colour":
                taken = {a.colour_name(self.now) for a in self.scene.actors}
                self.recolour(actor, rng.choice([c for c in COLOURS if c not in taken]))
                return True
            if kind == "grow" and actor.level < 2:
                self.resize(actor, True)
                return True
            if kind == "shrink" and actor.level > 0:
                self.resize(actor, False)
                return True
        return False

    def independent(self, names, count):
        shown = len(names) if self.rng.random() < 0.5 else max(0, len(names) - 1)
        for i, name in enumerate(names):
            self.add(name, present_from=self.start if i < shown else None)
        for _ in range(count):
            self.wait()
            if not self.something():
                break
        self.wait()

    def finish(self, end=None):
        self.scene.end = self.now if end is None else end
        self.scene.opening = self.opening()
        return self.scene

    def opening(self):
        t = self.start + 1e-3
        seen = sorted((a for a in self.scene.actors if a.presence and a.presence[0][0] <= self.start
                       and abs(a.state(t)[0] - WIDTH / 2) < WIDTH / 2), key=lambda a: a.state(t)[0])
        things = [f"a {a.name(t)}" for a in seen] + (["a wall"] if self.scene.wall else [])
        things = [t.replace("a orange", "an orange") for t in things]
        ground = f"a {self.scene.pattern} {self.scene.ground} background"
        if not things:
            return f"An empty scene with {ground}."
        joined = things[0] if len(things) == 1 else ", ".join(things[:-1]) + " and " + things[-1]
        return f"{joined[0].upper()}{joined[1:]} on {ground}."


def story_steps(w, plan, names, rng):
    """The story's beats as calls, in order; each acts on the scene writer and names its beat."""
    a_cells = [(c, r) for c in (0, 1, 3, 4) for r in range(2)]
    if plan in ("chase", "search"):
        side = [c for c in range(5) if c < w.wall_column] if rng.random() < 0.5 else \
               [c for c in range(5) if c > w.wall_column]
        if len(side) < 2:
            side = [c for c in range(5) if c != w.wall_column and (c < w.wall_column) != (side[0] < w.wall_column)]
        a_cells = [(c, r) for c in side for r in range(2)]
    first, second = rng.sample(a_cells, 2)
    if plan == "chase":
        a, b = w.add(names[0], first, rng.choice([0, 1]), w.start), w.add(names[1], second, rng.choice([1, 2]))
        return [lambda: w.move(a, "setup") or w.recolour(a, _other_colour(w, rng), "setup"),
                lambda: w.enter(b, "inciting"), lambda: w.chase(b, a, "rising"), lambda: w.hide(a, "climax"),
                lambda: w.leave(b, "falling"), lambda: w.come_out(a, "resolution")]
    if plan == "meeting":
        a, b = w.add(names[0], first, rng.choice([0, 1])), w.add(names[1], second, rng.choice([0, 1]))
        return [lambda: w.appear(a, "setup"), lambda: w.enter(b, "inciting"),
                lambda: w.move(a, "rising") or w.resize(a, True, "rising"), lambda: w.meet(a, b, "climax"),
                lambda: w.recolour(a, _other_colour(w, rng), "falling"), lambda: w.leave(b, "resolution")]
    if plan == "search":
        a, b = w.add(names[0], first, 0, w.start), w.add(names[1], second, 0, w.start)
        return [lambda: w.meet(a, b, "setup"), lambda: w.hide(b, "inciting"),
                lambda: w.move(a, "rising") or w.recolour(a, _other_colour(w, rng), "rising"),
                lambda: w.move(a, "turn") or w.resize(a, True, "turn"),
                lambda: w.come_out(b, "climax"), lambda: w.meet(a, b, "resolution")]
    a, b = w.add(names[0], first, 0, w.start), w.add(names[1], second, 1)
    return [lambda: w.move(a, "setup"), lambda: w.enter(b, "inciting"), lambda: w.chase(b, a, "rising"),
            lambda: w.resize(a, True, "turn"), lambda: w.chase(a, b, "climax"), lambda: w.leave(b, "resolution")]


def _other_colour(w, rng):
    taken = {a.colour_name(w.now) for a in w.scene.actors}
    return rng.choice([c for c in COLOURS if c not in taken])


def _story_scene(rng, start, plan):
    wall = plan in ("chase", "search")
    w = SceneWriter(rng, start, wall)
    names = choose_names(rng, 2)
    steps = story_steps(w, plan, names, rng)
    if rng.random() < 0.25:
        steps = steps[:rng.choice([4, 5] if plan == "meeting" else [3, 4, 5])]  # a story without its end
    for step in steps:
        w.wait()
        step()
    w.wait()
    w.finish()
    return w


def _texts(rng, scenes, duration, chance):
    texts, events, free_from = [], [], 0.0
    for scene in scenes:
        if rng.random() > chance or scene.end - scene.start < 3:
            continue
        start = max(free_from, scene.start + rng.choice([0.0, 0.5, 1.0, 1.5]))
        end = min(start + rng.choice([1.5, 2.0, 2.5, 3.0]), scene.end)
        if end - start < 1.5:
            continue
        words = rng.choice(WORDS)
        if rng.random() < 0.4:
            words += " " + (str(rng.randint(1, 9)) if rng.random() < 0.5 else rng.choice(WORDS))
        size = rng.choice([16, 18, 20])
        texts.append(Text(words, start, end, WIDTH / 2 + rng.uniform(-40, 40), rng.choice([14.0, HEIGHT - 16.0]), size))
        events.append(Event("text", start, end, detail=words))
        free_from = end + 0.5
    return texts, events


def write_clip(seed, story=None, scenes=None, events=None, text_chance=0.5):
    """A clip by its seed. story: True, False or a plan's name; scenes, events: how many (chosen when None)."""
    rng = random.Random(seed)
    if story is None:
        story = rng.random() < 0.35
    if story is True:
        story = rng.choice(STORIES)
    writers, transitions, start = [], [], 0.0
    count = scenes or (rng.choice([1, 1, 1, 2]) if story else rng.choice([1, 1, 2, 2, 3]))
    story_at = rng.randrange(count) if story else -1
    for i in range(count):
        if i:
            transitions.append(rng.choice([0.0, 0.0, 0.6, 0.8]))
        if i == story_at:
            w = _story_scene(rng, start, story)
        else:
            w = SceneWriter(rng, start, wall=rng.random() < 0.15)
            most = 3 if count > 1 else 4
            n = events if events is not None else rng.choice([1, 1, 2] if count > 1 else [1, 2, 3, 4])
            w.independent(choose_names(rng, rng.randint(1, most)), n)
            w.finish()
        writers.append(w)
        start = w.scene.end
    all_scenes = [w.scene for w in writers]
    texts, text_events = _texts(rng, all_scenes, start, text_chance)
    happened = sorted([e for w in writers for e in w.events] + text_events, key=lambda e: (e.start, e.kind == "text"))
    return Clip(seed, start, all_scenes, transitions, texts, happened, story or "")
