// Draws lanes on a canvas. Only what is visible is touched, and items closer than a pixel are drawn as one, so the work
// depends on the width of the canvas and not on the number of items.
import { clock } from '../app/words.js';

const kSmallestTurn = 3;   // pixels; narrower neighbours are drawn as one band
const kSmallestWords = 34;  // pixels; narrower items carry no words

/** First item that ends after `time`; `reach` rises, so it can be searched. */
export function firstVisible(lane, time) {
  let low = 0;
  let high = lane.reach.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.reach[middle] > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index of the item at `time`, the latest started one where several overlap; -1 for none. */
export function itemIndexAt(lane, time, slack = 0) {
  let found = -1;
  for (let i = firstVisible(lane, time - slack); i < lane.starts.length && lane.starts[i] <= time + slack; ++i)
    if (lane.ends[i] > time - slack) found = i;
  return found;
}

/** Draws one lane into the strip at `top`, `height` pixels high. */
export function drawLane(context, lane, { view, width, top, height, colours, selected }) {
  const scale = width / (view.to - view.from);
  const area = { context, lane, view, width, top, height, scale, colour: colours[lane.colour], colours, bright: lane.id === selected };
  if (lane.kind === 'curve') drawCurve(area);
  else if (lane.kind === 'turns') drawTurns(area);
  else drawBlocks(area);
}

function drawBlocks(area) {
  // Words that overlap: all of a long item lies pale under those that begin within it.
  if (area.lane.kind === 'words') drawRuns(area, (i) => area.lane.ends[i], 0.4);
  const next = (i) => (area.lane.kind === 'words' ? area.lane.starts[i + 1] ?? Infinity : Infinity);
  const words = drawRuns(area, (i) => Math.min(area.lane.ends[i], next(i)), area.bright ? 1 : 0.85);
  drawWords(area.context, area.lane, words, area.top, area.height, area.colours.onLane);
}

/** Bars from each start to `endOf(i)`; gives back those with room for words. */
function drawRuns({ context, lane, view, width, top, height, scale, colour }, endOf, alpha) {
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  const words = [];
  let left = -1;
  let right = -1;
  const flush = () => {
    if (right > left) roundBar(context, left, top, right - left, height);
  };
  for (let i = firstVisible(lane, view.from); i < lane.starts.length && lane.starts[i] < view.to; ++i) {
    const x0 = Math.max((lane.starts[i] - view.from) * scale, -2);
    const x1 = Math.min(Math.max((endOf(i) - view.from) * scale, x0 + 1.5), width + 2);
    if (x0 <= right + 0.75 && (x1 - x0 < kSmallestTurn || lane.kind === 'blocks')) {
      right = Math.max(right, x1);
    } else {
      flush();
      left = right >= x0 && lane.kind === 'words' ? right + 0.5 : x0;
      right = Math.max(x1 - (x1 - x0 > 6 ? 1 : 0), left);
    }
    if (lane.kind === 'words' && height > 12 && x1 - x0 > kSmallestWords) words.push([i, x0, x1]);
  }
  flush();
  context.globalAlpha = 1;
  return words;
}

function drawTurns({ context, lane, view, width, top, height, scale, colour, colours }) {
  const shades = [colour, colours[`${lane.colour}2`]];
  const words = [];
  let band = -1;  // left edge of a run of items too narrow to tell apart
  let right = 0;
  const flush = () => {
    if (band < 0) return;
    context.globalAlpha = 0.7;
    context.fillStyle = shades[0];
    context.fillRect(band, top, right - band, height);
    context.globalAlpha = 1;
    band = -1;
  };
  for (let i = firstVisible(lane, view.from); i < lane.starts.length && lane.starts[i] < view.to; ++i) {
    const x0 = Math.max((lane.starts[i] - view.from) * scale, 0);
    const x1 = Math.min((lane.ends[i] - view.from) * scale, width);
    if (x1 - x0 < kSmallestTurn) {
      if (band < 0) band = x0;
      right = x1;
      continue;
    }
    flush();
    context.fillStyle = shades[i & 1];
    context.fillRect(x0, top, x1 - x0, height);
    if (lane.wedges?.[i]) drawWedge(context, lane.wedges[i], view, scale, top, height, colours.paper);
    if (lane.kind === 'turns' && lane.id !== 'shots' && height > 12 && x1 - x0 > kSmallestWords) words.push([i, x0, x1]);
  }
  flush();
  drawWords(context, lane, words, top, height, colours.onLane);
}

/** A gradual transition: a light triangle over its range. */
function drawWedge(context, [start, end], view, scale, top, height, colour) {
  const x0 = (start - view.from) * scale;
  const x1 = (end - view.from) * scale;
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x0, top);
  context.lineTo(x1, top);
  context.lineTo((x0 + x1) / 2, top + height);
  context.fill();
}

function drawCurve({ context, lane, view, width, top, height, scale, colour, colours }) {
  const y = (value) => top + height - 3 - value * (height - 6);
  context.save();
  context.beginPath();
  context.rect(0, top, width, height);
  context.clip();
  context.beginPath();
  let before = 0;
  while (before + 1 < lane.curve.length && lane.curve[before + 1][0] < view.from) ++before;
  const points = [];
  for (let i = before; i < lane.curve.length; ++i) {
    points.push([(lane.curve[i][0] - view.from) * scale, y(lane.curve[i][1])]);
    if (lane.curve[i][0] > view.to) break;
  }
  points.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  context.lineTo(points.at(-1)[0], top + height);
  context.lineTo(points[0][0], top + height);
  context.globalAlpha = 0.18;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  for (let i = firstVisible(lane, view.from); i < lane.starts.length && lane.starts[i] < view.to; ++i) {
    const x = ((lane.starts[i] + lane.ends[i]) / 2 - view.from) * scale;
    context.beginPath();
    context.arc(x, y(lane.items[i].intensity ?? valueAt(lane.curve, (lane.starts[i] + lane.ends[i]) / 2)), 4, 0, 7);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = colours.card;
    context.stroke();
  }
  context.restore();
}

function valueAt(curve, time) {
  const next = curve.findIndex(([t]) => t > time);
  if (next <= 0) return (next < 0 ? curve.at(-1) : curve[0])[1];
  const [[t0, v0], [t1, v1]] = [curve[next - 1], curve[next]];
  return v0 + ((v1 - v0) * (time - t0)) / (t1 - t0);
}

function roundBar(context, x, y, width, height) {
  if (width < 5) return context.fillRect(x, y, Math.max(width, 1), height);
  context.beginPath();
  context.roundRect(x, y, width, height, 3);
  context.fill();
}

function drawWords(context, lane, words, top, height, colour) {
  if (!words.length) return;
  context.fillStyle = colour;
  context.textBaseline = 'middle';
  for (const [i, x0, x1] of words) {
    const text = shorten(context, lane.label(i), x1 - x0 - 10);
    if (text) context.fillText(text, Math.max(x0, 0) + 5, top + height / 2 + 0.5);
  }
}

/** Cut to fit, by the mean width of a letter: measuring every length would cost more than the drawing. */
function shorten(context, text, width) {
  const whole = context.measureText(text).width;
  if (whole <= width) return text;
  const letters = Math.floor((text.length * width) / whole) - 2;
  return letters > 1 ? `${text.slice(0, letters).trimEnd()}…` : '';
}

const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** Times over the lanes, at least 70 pixels apart. */
export function drawAxis(context, { view, width, height, colours }) {
  const scale = width / (view.to - view.from);
  const step = steps.find((candidate) => candidate * scale >= 70) ?? steps.at(-1);
  context.fillStyle = colours.soft;
  context.textBaseline = 'middle';
  for (let time = Math.ceil(view.from / step - 1e-9) * step; time <= view.to; time += step) {
    const x = Math.round((time - view.from) * scale);
    context.fillRect(x, height - 6, 1, 6);
    const text = clock(time, step < 1 ? 1 : 0);
    if (x + 4 + context.measureText(text).width < width) context.fillText(text, x + 4, height / 2);
  }
}
