// Lanes with one zoom and one scroll. The wheel zooms at the cursor, dragging moves, a click seeks.
import { h, icon, fill } from '../app/dom.js';
import { t, clock } from '../app/words.js';
import { keep } from '../app/router.js';
import { picture } from '../app/parts.js';
import { LaneList } from './lane_list.js';
import { ready, sizeCanvas } from './canvas.js';
import { drawAxis, drawLane, itemIndexAt } from './timeline_draw.js';

const kAxisHeight = 22;
const kShortestView = 0.5;  // seconds

const colourNames = ['chapter', 'scene', 'scene2', 'shot', 'shot2', 'person', 'text', 'caption', 'speech', 'object', 'marker', 'highlight', 'story', 'on-lane', 'soft', 'paper', 'card', 'line'];

export class Timeline {
  constructor(playhead, { onSelect }) {
    Object.assign(this, { playhead, onSelect, selected: null, follows: true, view: { from: 0, to: playhead.duration } });
    this.list = new LaneList(() => this.#resize());
    this.axis = h('canvas.axis', { 'aria-hidden': 'true' });
    this.canvas = h('canvas.lane-canvas', {
      role: 'slider', tabindex: 0, 'aria-label': t('timeline.label'), 'aria-valuemin': 0, 'aria-valuemax': playhead.duration,
      'aria-describedby': 'timeline-hint',
    });
    this.line = h('div.play-line', { 'aria-hidden': 'true' });
    this.tip = h('div.tip', { hidden: true, 'aria-hidden': 'true' });
    this.lanes = h('div.lanes', {}, this.list.element, h('div.lane-box', {}, h('div.lane-stick', {}, this.canvas, this.line)));
    this.thumb = h('i');
    this.overview = h('div.overview', { 'aria-hidden': 'true', onpointerdown: (event) => this.#dragOverview(event) }, this.thumb);
    this.element = h('section.timeline', { 'aria-labelledby': 'timeline-title' }, this.#head(),
      h('div.axis-row', {}, h('span'), this.axis), this.lanes, h('div.overview-row', {}, h('span'), this.overview), this.tip);
    this.#listen();
    this.readColours();
  }

  #head() {
    const button = (name, label, run) => h('button.icon-button', { type: 'button', 'aria-label': t(label), title: t(label), onclick: run }, icon(name));
    this.followButton = h('button.text-button', { type: 'button', 'aria-pressed': 'true', onclick: () => {
      this.follows = !this.follows;
      this.followButton.setAttribute('aria-pressed', String(this.follows));
    } }, t('timeline.follow'));
    return h('div.timeline-head', {}, h('h2', { id: 'timeline-title' }, t('timeline.label')),
      h('span.soft.hint', { id: 'timeline-hint' }, t('timeline.hint')), h('span.grow'), this.followButton,
      button('minus', 'timeline.out', () => this.zoom(2)), button('plus', 'timeline.in', () => this.zoom(0.5)), button('fit', 'timeline.fit', () => this.fitAll()),
      button('down', 'timeline.fold', () => this.list.foldAll()));
  }

  set(lanes) {
    this.list.set(lanes);
  }

  select(id) {
    this.selected = id;
    this.draw();
  }

  /** The keyframe to show for a time; set by the view. */
  keyframeAt = () => null;

  #listen() {
    this.redraw = () => (this.readColours(), this.draw());
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(this.lanes);
    addEventListener('themechange', this.redraw);
    this.lanes.addEventListener('scroll', () => this.draw(), { passive: true });
    this.canvas.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    this.axis.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    this.canvas.addEventListener('pointerdown', (event) => this.#onPointerDown(event));
    this.canvas.addEventListener('dblclick', (event) => this.#open(event));
    this.axis.addEventListener('pointerdown', (event) => this.#scrub(event));
    this.canvas.addEventListener('pointermove', (event) => event.buttons === 0 && this.#showTip(event));
    this.canvas.addEventListener('pointerleave', () => (this.tip.hidden = true));
    this.canvas.addEventListener('keydown', (event) => this.#onKey(event));
    this.playhead.addEventListener('time', () => this.#onTime());
    this.playhead.addEventListener('seek', () => this.#reveal());
  }

  close() {
    this.observer.disconnect();
    removeEventListener('themechange', this.redraw);
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(colourNames.map((name) => [name.replace(/-(\w)/, (_, c) => c.toUpperCase()), style.getPropertyValue(`--${name}`).trim()]));
    this.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  }

  #resize() {
    if (!this.list.rows) return;
    this.lanes.style.setProperty('--content', `${this.list.height}px`);
    this.width = this.canvas.parentElement.clientWidth;
    this.height = Math.min(this.lanes.clientHeight || this.list.height, this.list.height);
    this.canvas.parentElement.style.setProperty('--height', `${this.height}px`);
    sizeCanvas(this.canvas, this.width, this.height);
    sizeCanvas(this.axis, this.width, kAxisHeight);
    this.draw(true);
  }

  /** Drawn at most once a frame, however often it is asked for. */
  draw(now = false) {
    if (now) return this.#drawNow();
    this.pending ??= requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    cancelAnimationFrame(this.pending);
    this.pending = null;
    if (!this.width || !this.list.rows) return;
    const { view, width, colours, selected } = this;
    const context = ready(this.canvas, this.font, width, this.height);
    const scroll = this.lanes.scrollTop;
    for (const { lane, top, height } of this.list.rows) {
      const y = top - scroll;
      if (y + height < 0 || y > this.height) continue;
      context.fillStyle = colours.line;
      context.globalAlpha = 0.45;
      context.fillRect(0, y + 1, width, height - 2);
      context.globalAlpha = 1;
      drawLane(context, lane, { view, width, top: y + 1, height: height - 2, colours, selected });
    }
    drawAxis(ready(this.axis, this.font, width, kAxisHeight), { view, width, height: kAxisHeight, colours });
    this.thumb.style.setProperty('--from', view.from / this.playhead.duration);
    this.thumb.style.setProperty('--size', (view.to - view.from) / this.playhead.duration);
    this.#onTime();
  }

  #onTime() {
    const { view, playhead } = this;
    if (this.follows && playhead.playing && (playhead.time > view.to || playhead.time < view.from)) return this.show(playhead.time - (view.to - view.from) * 0.1, view.to - view.from);
    const x = ((playhead.time - view.from) / (view.to - view.from)) * (this.width ?? 0);
    this.line.hidden = x < 0 || x > this.width;
    this.line.style.transform = `translateX(${x}px)`;
    this.canvas.setAttribute('aria-valuenow', playhead.time.toFixed(1));
    this.canvas.setAttribute('aria-valuetext', this.describe(playhead.time));
  }

  /** What a screen reader says: the time and what is there. */
  describe = (time) => clock(time, 1);

  #reveal() {
    const { from, to } = this.view;
    if (this.playhead.time < from || this.playhead.time > to) this.show(this.playhead.time - (to - from) / 2, to - from);
  }

  /** Shows `seconds` of the video from `from` on, within its bounds. */
  show(from, seconds) {
    const { duration } = this.playhead;
    const size = Math.min(Math.max(seconds, Math.min(kShortestView, duration)), duration);
    const start = Math.min(Math.max(0, from), duration - size);
    this.view = { from: start, to: start + size };
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.element.isConnected && keep({ z: size < duration ? `${start.toFixed(2)}-${(start + size).toFixed(2)}` : '' }), 300);
    this.draw();
  }

  zoom(factor, at = this.playhead.time) {
    const { from, to } = this.view;
    const middle = Math.min(Math.max(at, from), to);
    this.show(middle - (middle - from) * factor, (to - from) * factor);
  }

  fitAll() {
    this.show(0, this.playhead.duration);
  }

  #timeOf(event) {
    const frame = this.axis.getBoundingClientRect();
    return this.view.from + ((event.clientX - frame.left) / frame.width) * (this.view.to - this.view.from);
  }

  #onWheel(event) {
    event.preventDefault();
    const { from, to } = this.view;
    const step = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
      this.show(from + (((event.deltaX || event.deltaY) * step) / this.width) * (to - from), to - from);
    else this.zoom(Math.exp(Math.min(Math.max(event.deltaY * step, -240), 240) * 0.002), this.#timeOf(event));
  }

  /** One finger or the mouse moves the view, two fingers zoom, a click without moving seeks. */
  #onPointerDown(event) {
    if (event.button !== 0) return;
    this.tip.hidden = true;
    this.fingers ??= new Map();
    this.fingers.set(event.pointerId, event);
    this.canvas.setPointerCapture(event.pointerId);
    if (this.fingers.size > 1) return (this.moved = true);
    this.moved = false;
    const down = event;
    const move = (moved) => {
      const before = this.fingers.get(moved.pointerId);
      if (!before) return;
      const others = [...this.fingers.values()].filter(({ pointerId }) => pointerId !== moved.pointerId);
      if (others.length) this.#pinch(before, moved, others[0]);
      else if (this.moved || Math.abs(moved.clientX - down.clientX) > 4) {
        this.moved = true;
        const seconds = this.view.to - this.view.from;
        this.show(this.view.from - ((moved.clientX - before.clientX) / this.width) * seconds, seconds);
      }
      this.fingers.set(moved.pointerId, moved);
    };
    const end = (up) => {
      this.fingers.delete(up.pointerId);
      if (this.fingers.size) return;
      for (const name of ['pointerup', 'pointercancel']) this.canvas.removeEventListener(name, end);
      this.canvas.removeEventListener('pointermove', move);
      if (up.type === 'pointerup' && !this.moved) this.#click(up);
    };
    this.canvas.addEventListener('pointermove', move);
    for (const name of ['pointerup', 'pointercancel']) this.canvas.addEventListener(name, end);
  }

  #pinch(before, moved, other) {
    const distance = (a, b) => Math.max(20, Math.abs(a.clientX - b.clientX));
    this.zoom(distance(before, other) / distance(moved, other), this.#timeOf(other));
  }

  /** What is under the pointer: the lane and the index of its item, -1 for none. */
  #under(event) {
    const y = event.clientY - this.canvas.getBoundingClientRect().top + this.lanes.scrollTop;
    const row = this.list.rowAt(y);
    if (!row) return null;
    const slack = (3 / this.width) * (this.view.to - this.view.from);
    return { lane: row.lane, index: itemIndexAt(row.lane, this.#timeOf(event), slack) };
  }

  /** Seeks to the click, or to the start of an item that was meant. */
  #click(event) {
    const time = this.#timeOf(event);
    const under = this.#under(event);
    const near = (8 / this.width) * (this.view.to - this.view.from);
    const start = under && under.index >= 0 ? under.lane.starts[under.index] : null;
    this.playhead.seek(start !== null && Math.abs(time - start) < near ? start : time);
  }

  #open(event) {
    const under = this.#under(event);
    const target = under && under.index >= 0 && under.lane.target?.(under.index);
    if (target) this.onSelect(target);
  }

  #scrub(event) {
    this.axis.setPointerCapture(event.pointerId);
    const move = (moved) => this.playhead.seek(this.#timeOf(moved));
    move(event);
    this.axis.addEventListener('pointermove', move);
    this.axis.addEventListener('pointerup', () => this.axis.removeEventListener('pointermove', move), { once: true });
  }

  #dragOverview(event) {
    const frame = this.overview.getBoundingClientRect();
    const seconds = this.view.to - this.view.from;
    const move = (moved) => this.show(((moved.clientX - frame.left) / frame.width) * this.playhead.duration - seconds / 2, seconds);
    this.overview.setPointerCapture(event.pointerId);
    move(event);
    this.overview.addEventListener('pointermove', move);
    this.overview.addEventListener('pointerup', () => this.overview.removeEventListener('pointermove', move), { once: true });
  }

  #showTip(event) {
    const under = this.#under(event);
    this.tip.hidden = !under || under.index < 0;
    if (this.tip.hidden) return;
    const { lane, index } = under;
    const [start, end] = [lane.starts[index], lane.ends[index]];
    const key = `${lane.id}/${index}`;
    if (this.tip.dataset.key !== key) {
      this.tip.dataset.key = key;
      const image = this.keyframeAt(Math.max(start, Math.min(this.#timeOf(event), end)));
      fill(this.tip, image && picture(image), h('span.tip-text', {}, lane.label(index)), h('span.soft', {}, `${clock(start, 1)}–${clock(end, 1)}`));
    }
    const frame = this.element.getBoundingClientRect();
    this.tip.style.setProperty('--x', `${Math.min(Math.max(event.clientX - frame.left - 90, 0), frame.width - 190)}px`);
    this.tip.style.setProperty('--y', `${event.clientY - frame.top + 18}px`);
  }

  #onKey(event) {
    const seconds = (this.view.to - this.view.from) / (event.shiftKey ? 100 : 20);
    const run = {
      ArrowLeft: () => this.playhead.seek(this.playhead.time - seconds), ArrowRight: () => this.playhead.seek(this.playhead.time + seconds),
      Home: () => this.playhead.seek(0), End: () => this.playhead.seek(this.playhead.duration),
      PageUp: () => this.show(this.view.from - seconds * 10, this.view.to - this.view.from), PageDown: () => this.show(this.view.from + seconds * 10, this.view.to - this.view.from),
    }[event.key];
    if (!run || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    run();
  }
}
