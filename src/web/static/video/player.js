// The picture with its boxes, the seek bar and the controls under it.
import { h, icon, fill } from '../app/dom.js';
import { t, clock } from '../app/words.js';
import { picture } from '../app/parts.js';
import { Overlay } from './overlay.js';
import { Tracks } from './tracks.js';
import { Trickplay } from './trickplay.js';
import { indexAt, itemAt } from './playhead.js';

const speeds = [0.25, 0.5, 1, 1.5, 2, 4];

export class Player {
  constructor(document, playhead, { onPick }) {
    Object.assign(this, { document, playhead });
    this.shots = document.shots;
    this.keyframes = document.shots.flatMap(({ keyframes }) => keyframes).map((k) => ({ ...k, start: k.t })).sort((a, b) => a.start - b.start);
    this.media = h('video', { src: `/v1/videos/${document.video.id}/stream`, preload: 'metadata', playsinline: true, poster: this.keyframes[0]?.image, 'aria-label': document.video.name });
    this.still = h('img.still', { alt: '', hidden: true });
    this.canvas = h('canvas.boxes', { 'aria-hidden': 'true' });
    this.notice = h('p.stage-notice', { role: 'status', hidden: true });
    this.stage = h('div.stage', { vars: { aspect: aspectOf(document) }, onclick: (event) => this.#click(event, onPick) }, this.media, this.still, this.canvas, this.notice);
    this.element = h('section.player', { 'aria-label': t('player.label') }, this.stage, this.#seekBar(), this.#controls());
    playhead.follow(this.media);
    // A poster stays until something plays, but the boxes are those of the first frame.
    this.media.addEventListener('loadeddata', () => this.media.removeAttribute('poster'));
    for (const name of ['loadeddata', 'seeked', 'canplay']) this.media.addEventListener(name, () => this.overlay.draw());
    this.media.addEventListener('error', () => this.#showStills());
    for (const name of ['play', 'pause', 'ended']) this.media.addEventListener(name, () => this.#showState());
    this.overlay = new Overlay(this.canvas, this.stage, playhead, new Tracks(document.video.id, document), document.video.picture, () => this.media.readyState >= 2 || !this.still.hidden);
    playhead.addEventListener('time', () => this.#showTime());
    this.#showTime();
  }

  close() {
    this.overlay.close();
    this.playhead.leaveMedia();
    this.media.removeAttribute('src');
    this.media.load();
  }

  /** New results of a running job: names, boxes and keyframes may have come. */
  renew(document) {
    this.document = document;
    this.shots = document.shots;
    this.keyframes = document.shots.flatMap(({ keyframes }) => keyframes).map((k) => ({ ...k, start: k.t })).sort((a, b) => a.start - b.start);
    this.overlay.tracks = new Tracks(document.video.id, document);
    this.overlay.draw();
    this.#drawTicks();
  }

  /** The browser cannot play the file: the keyframes stand in, and the page says so. */
  #showStills() {
    if (this.still.hidden === false) return;
    this.playhead.leaveMedia();
    this.media.hidden = true;
    this.still.hidden = false;
    this.notice.hidden = false;
    this.notice.textContent = t('player.stills', { codec: this.document.video.picture.codec });
    for (const button of this.element.querySelectorAll('[data-needs-media]')) button.disabled = true;
    this.#showTime();
  }

  #click(event, onPick) {
    const box = this.overlay.hit(event.clientX, event.clientY);
    if (box?.owner) onPick(box);
    else this.playhead.toggle();
  }

  #seekBar() {
    const { playhead } = this;
    this.range = h('input.seek', { type: 'range', min: 0, max: playhead.duration, step: 'any', value: 0, 'aria-label': t('player.seek'), oninput: () => playhead.seek(+this.range.value) });
    this.ticks = h('div.ticks', { 'aria-hidden': 'true' });
    this.preview = h('div.preview', { 'aria-hidden': 'true', hidden: true });
    this.#drawTicks();
    const bar = h('div.seek-bar', {}, this.range, this.ticks, this.preview);
    this.trickplay = new Trickplay(this.document.video.id, () => this.preview.hidden || this.#drawPreview());
    bar.addEventListener('pointermove', (event) => this.#showPreview(event, bar));
    bar.addEventListener('pointerleave', () => (this.preview.hidden = true));
    return bar;
  }

  #drawTicks() {
    const parts = this.document.chapters?.length ? this.document.chapters : this.document.scenes;
    fill(this.ticks, parts.slice(1, 200).map(({ start }) => h('i', { vars: { at: start / this.playhead.duration } })));
  }

  #showPreview(event, bar) {
    const frame = bar.getBoundingClientRect();
    this.previewed = Math.min(Math.max(0, (event.clientX - frame.left) / frame.width), 1);
    this.preview.hidden = false;
    this.#drawPreview();
  }

  #drawPreview() {
    const time = this.previewed * this.playhead.duration;
    const keyframe = this.keyframes[Math.max(0, indexAt(this.keyframes, time))];
    const chapter = itemAt(this.document.chapters ?? [], time);
    this.preview.style.setProperty('--at', this.previewed);
    fill(this.preview, this.trickplay.tile(time) ?? (keyframe && picture(keyframe.image)), h('span', {}, clock(time)), chapter && h('span.preview-title', {}, chapter.title));
  }

  #controls() {
    const { playhead } = this;
    const button = (name, label, run, needsMedia = true) =>
      h('button.icon-button', { type: 'button', 'aria-label': t(label), title: t(label), onclick: run, data: needsMedia ? { needsMedia: '' } : {} }, icon(name));
    this.playButton = button('play', 'player.play', () => playhead.toggle());
    this.loopButton = button('loop', 'player.loop', () => this.toggleLoop());
    this.muteButton = button('sound', 'player.mute', () => this.toggleMute());
    if (!this.document.video.audio.length) this.muteButton.hidden = true;
    this.clock = h('span.clock', { 'aria-live': 'off' });
    const speed = h('select', { 'aria-label': t('player.speed'), title: t('player.speed'), data: { needsMedia: '' }, onchange: (event) => (this.media.playbackRate = +event.target.value) },
      speeds.map((value) => h('option', { value, selected: value === 1 }, `${value}×`)));
    const toggle = (kind) => {
      const on = this.overlayShown(kind);
      const box = h('button.toggle', { type: 'button', class: kind, 'aria-pressed': String(on), onclick: () => {
        const next = box.getAttribute('aria-pressed') !== 'true';
        box.setAttribute('aria-pressed', String(next));
        this.overlay.show(kind, next);
      } }, t(`boxes.${kind}`));
      return box;
    };
    this.boxToggles = h('div.toggles', { role: 'group', 'aria-label': t('boxes.label') }, ['people', 'objects', 'text'].map(toggle));
    return h('div.controls', {}, this.playButton, button('back', 'player.frame.back', () => playhead.step(-1)), button('forward', 'player.frame.next', () => playhead.step(1)),
      this.clock, speed, this.loopButton, button('camera', 'player.snapshot', () => this.snapshot()), this.muteButton,
      button('fit', 'player.full', () => this.fullScreen(), false), h('span.grow'), this.boxToggles);
  }

  overlayShown(kind) {
    return this.overlay ? this.overlay.shown[kind] : JSON.parse(localStorage.getItem('boxes') ?? '{}')[kind] !== false;
  }

  toggleBoxes() {
    const on = ['people', 'objects', 'text'].some((kind) => this.overlay.shown[kind]);
    for (const button of this.boxToggles.children) button.setAttribute('aria-pressed', String(!on));
    for (const kind of ['people', 'objects', 'text']) this.overlay.show(kind, !on);
  }

  toggleLoop() {
    this.playhead.loop = this.playhead.loop ? null : itemAt(this.shots, this.playhead.time);
    this.loopButton.setAttribute('aria-pressed', String(Boolean(this.playhead.loop)));
  }

  toggleMute() {
    this.media.muted = !this.media.muted;
    fill(this.muteButton, icon(this.media.muted ? 'muted' : 'sound'));
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen?.();
  }

  /** Saves the frame at the play head as a PNG. */
  snapshot() {
    const { videoWidth: width, videoHeight: height } = this.media;
    const canvas = h('canvas', { width, height });
    canvas.getContext('2d').drawImage(this.media, 0, 0);
    canvas.toBlob((blob) => {
      const address = URL.createObjectURL(blob);
      h('a', { href: address, download: `${this.document.video.name}-${clock(this.playhead.time, 3).replaceAll(':', '.')}.png` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
  }

  #showState() {
    const playing = this.playhead.playing;
    fill(this.playButton, icon(playing ? 'pause' : 'play'));
    const label = t(playing ? 'player.pause' : 'player.play');
    this.playButton.setAttribute('aria-label', label);
    this.playButton.title = label;
  }

  #showTime() {
    const { time, duration } = this.playhead;
    this.clock.textContent = `${clock(time, 3)} / ${clock(duration)}`;
    this.range.value = time;
    this.range.style.setProperty('--part', duration ? time / duration : 0);
    this.range.setAttribute('aria-valuetext', clock(time, 1));
    if (this.still.hidden) return;
    const keyframe = this.keyframes[Math.max(0, indexAt(this.keyframes, time))];
    if (keyframe && this.still.getAttribute('src') !== keyframe.image) this.still.src = keyframe.image;
  }
}

function aspectOf({ video: { picture: { width, height } } }) {
  return width && height ? `${width} / ${height}` : '16 / 9';
}
