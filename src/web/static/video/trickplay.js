// Small pictures of every moment, from sheets that the service makes when they are first asked for.
import { h } from '../app/dom.js';
import { api } from '../app/api.js';

export class Trickplay {
  /** `redraw` is called when a picture has come. */
  constructor(id, redraw) {
    Object.assign(this, { id, redraw, images: new Map(), layout: null, asked: false });
  }

  /** The picture at `time`; null while it is on its way, or where there is none. */
  tile(time) {
    if (!this.layout) return this.#load();
    const { interval, columns, rows, count, sheets, width, height } = this.layout;
    const index = Math.min(Math.floor(time / interval), count - 1);
    const image = this.#sheet(sheets[Math.floor(index / (columns * rows))]);
    if (!image.complete || !image.naturalWidth) return null;
    const at = index % (columns * rows);
    const across = image.naturalWidth / width;
    const down = image.naturalHeight / height;
    return h('span.tile', { vars: { sheet: `url("${image.src}")`, aspect: `${width} / ${height}`, across, down,
      x: across > 1 ? (at % columns) / (across - 1) : 0, y: down > 1 ? Math.floor(at / columns) / (down - 1) : 0 } });
  }

  #load() {
    if (this.asked) return null;
    this.asked = true;
    // Without previews the keyframes stay.
    api.get(`/v1/videos/${this.id}/trickplay.json`).then((layout) => ((this.layout = layout), this.redraw()), () => {});
    return null;
  }

  #sheet(address) {
    if (!this.images.has(address)) {
      const image = new Image();
      image.onload = () => this.redraw();
      image.src = address;
      this.images.set(address, image);
    }
    return this.images.get(address);
  }
}
