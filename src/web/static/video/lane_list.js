// The names beside the lanes: which are folded, in which order. Both are remembered by kind of lane.
import { h, fill } from '../app/dom.js';
import { t } from '../app/words.js';

const kHeight = 24;
const kFoldedHeight = 9;
const kCurveHeight = 52;

export class LaneList {
  constructor(onChange) {
    this.onChange = onChange;
    this.folded = new Set(read('lanes.folded'));
    this.order = read('lanes.order');
    this.element = h('ul.lane-names', { 'aria-label': t('timeline.lanes') });
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('pointerdown', (event) => this.#onDrag(event));
  }

  set(lanes) {
    const place = (lane, i) => {
      const at = this.order.indexOf(lane.id);
      return at >= 0 ? at : this.order.length + i;
    };
    this.lanes = lanes.map((lane, i) => ({ lane, at: place(lane, i) })).sort((a, b) => a.at - b.at).map(({ lane }) => lane);
    this.#layOut();
  }

  #layOut() {
    let top = 0;
    this.rows = this.lanes.map((lane) => {
      const height = this.folded.has(lane.id) ? kFoldedHeight : lane.kind === 'curve' ? kCurveHeight : kHeight;
      const row = { lane, top, height };
      top += height;
      return row;
    });
    this.height = top;
    fill(this.element, this.rows.map((row) => this.#name(row)));
    this.onChange();
  }

  #name({ lane, height }) {
    const folded = this.folded.has(lane.id);
    return h('li', { vars: { height: `${height}px` }, class: folded ? 'folded' : '' },
      h('button', { type: 'button', 'aria-expanded': String(!folded), 'aria-label': `${lane.name}, ${lane.note}`, title: `${lane.name} · ${lane.note}\n${t('timeline.lane.hint')}`, data: { lane: lane.id }, onclick: () => this.fold(lane.id) },
        h('i', { class: lane.colour }), h('span', {}, lane.name)));
  }

  fold(id) {
    if (!this.folded.delete(id)) this.folded.add(id);
    localStorage.setItem('lanes.folded', JSON.stringify([...this.folded]));
    this.#layOut();
    this.#focus(id);
  }

  foldAll() {
    const all = this.lanes.every(({ id }) => this.folded.has(id));
    this.folded = new Set(all ? [] : this.lanes.map(({ id }) => id));
    localStorage.setItem('lanes.folded', JSON.stringify([...this.folded]));
    this.#layOut();
  }

  move(id, to) {
    const from = this.lanes.findIndex((lane) => lane.id === id);
    if (from < 0 || to < 0 || to >= this.lanes.length || from === to) return;
    this.lanes.splice(to, 0, ...this.lanes.splice(from, 1));
    this.order = this.lanes.map((lane) => lane.id);
    localStorage.setItem('lanes.order', JSON.stringify(this.order));
    this.#layOut();
    this.#focus(id);
  }

  rowAt(y) {
    return this.rows.find(({ top, height }) => y >= top && y < top + height) ?? null;
  }

  #focus(id) {
    this.element.querySelector(`[data-lane="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  }

  /** Alt with an arrow moves a lane; the arrows alone walk through the names. */
  #onKey(event) {
    const id = event.target.dataset.lane;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!id || !by) return;
    event.preventDefault();
    const at = this.lanes.findIndex((lane) => lane.id === id);
    if (event.altKey) this.move(id, at + by);
    else this.#focus(this.lanes[at + by]?.id ?? id);
  }

  #onDrag(event) {
    const id = event.target.closest('[data-lane]')?.dataset.lane;
    if (!id || event.button !== 0 || event.pointerType === 'touch') return;
    const top = this.element.getBoundingClientRect().top;
    const startY = event.clientY;
    let dragged = false;
    const move = (moved) => {
      if (!dragged && Math.abs(moved.clientY - startY) < 8) return;
      dragged = true;
      const row = this.rowAt(moved.clientY - top);
      if (row && row.lane.id !== id) this.move(id, this.lanes.indexOf(row.lane));
    };
    const end = () => {
      removeEventListener('pointermove', move);
      // The click that ends a drag must not fold the lane.
      if (dragged) addEventListener('click', (click) => click.stopPropagation(), { capture: true, once: true });
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end, { once: true });
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '[]');
  } catch {
    return [];
  }
}
