// Boxes of everything followed through the video, loaded around the play head.
import { api } from '../app/api.js';

const kWindowSeconds = 60;
const kLongestGapSeconds = 1.5;  // a longer one is an absence, not a missed sample

export class Tracks {
  #windows = new Map();  // index -> tracks, or a promise of them
  constructor(videoId, document) {
    this.videoId = videoId;
    this.names = namesOfTracks(document);
  }

  /** Boxes at `time`: [{kind, id, owner, label, box}]. Loads what is missing and calls `onLoad` when it is there. */
  at(time, onLoad) {
    const index = Math.floor(time / kWindowSeconds);
    const tracks = this.#window(index, onLoad);
    if (time % kWindowSeconds > kWindowSeconds * 0.75) this.#window(index + 1, () => {});
    return Array.isArray(tracks) ? tracks.flatMap((track) => this.#boxOf(track, time)) : [];
  }

  #window(index, onLoad) {
    if (!this.#windows.has(index)) {
      const from = index * kWindowSeconds;
      const load = api.get(`/v1/videos/${this.videoId}/tracks?from=${from}&to=${from + kWindowSeconds}`)
        .then(({ tracks }) => this.#windows.set(index, tracks.map(readTrack)), () => this.#windows.set(index, []))
        .then(onLoad);
      this.#windows.set(index, load);
    }
    return this.#windows.get(index);
  }

  #boxOf(track, time) {
    const box = boxAt(track, time);
    if (!box) return [];
    const owner = this.names.get(track.id);
    return [{ kind: track.kind, id: track.id, owner: owner?.id, label: owner?.name ?? track.label, box }];
  }
}

/** A point is {t, box} or [t, x0, y0, x1, y1, score]. */
function readTrack({ id, kind, label, points }) {
  return { id, kind, label, points: points.map((p) => (Array.isArray(p) ? { t: p[0], box: p.slice(1, 5) } : p)) };
}

function boxAt({ kind, points }, time) {
  if (!points.length || time < points[0].t - 0.02) return null;
  let next = points.findIndex(({ t }) => t > time);
  const last = points[points.length - 1];
  if (next < 0) return time <= last.t + (kind === 'text' ? 0 : 0.25) ? last.box : null;
  if (next === 0) return points[0].box;
  const [a, b] = [points[next - 1], points[next]];
  if (kind === 'text') return a.box;
  if (b.t - a.t > kLongestGapSeconds) return time - a.t < 0.25 ? a.box : null;
  const part = (time - a.t) / (b.t - a.t);
  return a.box.map((value, i) => value + (b.box[i] - value) * part);
}

/** Whom or what a track shows: track id -> {id, name}. */
function namesOfTracks(document) {
  const names = new Map();
  const add = (element, name) => {
    for (const { track, tracks } of element.instances)
      for (const id of tracks ?? [track]) if (id) names.set(id, { id: element.id, name });
  };
  for (const person of document.people) add(person, person.name);
  for (const object of document.objects) add(object, object.label);
  for (const text of document.texts) add(text, text.text);
  return names;
}
