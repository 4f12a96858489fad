// The one state of a video's view: where the play head is. Everything reads it, everything seeks through it.

export class Playhead extends EventTarget {
  constructor(duration, frameSeconds) {
    super();
    Object.assign(this, { duration, frameSeconds, time: 0, media: null, loop: null });
  }

  /** Takes its time from a media element from now on; without one it only moves when asked to. */
  follow(media) {
    this.media = media;
    const onFrame = (_, frame) => {
      if (this.media !== media) return;
      this.#move(media.seeking ? this.time : frame?.mediaTime ?? media.currentTime);
      media.requestVideoFrameCallback(onFrame);
    };
    if (media.requestVideoFrameCallback) media.requestVideoFrameCallback(onFrame);
    media.addEventListener('timeupdate', () => media.seeking || media.requestVideoFrameCallback || this.#move(media.currentTime));
    media.addEventListener('ended', () => this.#move(this.duration));
  }

  /** Without a playable file: the still pictures are shown, and nothing plays. */
  leaveMedia() {
    this.media = null;
  }

  #move(time) {
    if (this.loop && this.playing && (time >= this.loop.end - this.frameSeconds / 2 || time < this.loop.start - 1)) return this.seek(this.loop.start);
    this.time = time;
    this.dispatchEvent(new Event('time'));
  }

  seek(time) {
    this.time = Math.min(Math.max(0, time), this.duration);
    // A hair past the boundary, so that rounding never shows the frame before it. What is set before the metadata have come is where the browser begins.
    if (this.media) this.media.currentTime = Math.min(this.time + 0.0005, this.duration);
    this.dispatchEvent(new Event('time'));
    this.dispatchEvent(new Event('seek'));
  }

  /** Moves by whole frames. The rate is the average: with a variable one it may be off by a frame. */
  step(frames) {
    this.pause();
    this.seek(this.time + frames * this.frameSeconds);
  }

  get playing() {
    return Boolean(this.media && !this.media.paused);
  }
  pause() {
    this.media?.pause();
  }
  toggle() {
    if (!this.media) return;
    if (this.media.paused) this.media.play().catch(() => {});
    else this.media.pause();
  }
}

/** Index of the last item whose start is at or before `time`; -1 before the first. Items are sorted by start. */
export function indexAt(items, time) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the latest started item that covers `time`; -1 for none. Items may overlap a little. */
export function coveringIndex(items, time) {
  const last = indexAt(items, time);
  for (let i = last; i >= 0 && i > last - 50; --i) if (time < items[i].end) return i;
  return -1;
}

export const itemAt = (items, time) => items[coveringIndex(items, time)] ?? null;
