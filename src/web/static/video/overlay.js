// Draws the boxes of people, objects and text over the picture, and says which one was clicked.
const kinds = { face: 'people', object: 'objects', text: 'text' };

export class Overlay {
  constructor(canvas, stage, playhead, tracks, picture, isReady) {
    Object.assign(this, { canvas, stage, playhead, tracks, picture, isReady, shown: readShown(), selected: null, boxes: [] });
    this.draw = this.draw.bind(this);
    playhead.addEventListener('time', this.draw);
    this.observer = new ResizeObserver(this.draw);
    this.observer.observe(stage);
    addEventListener('themechange', this.draw);
    this.draw();
  }

  close() {
    this.observer.disconnect();
    removeEventListener('themechange', this.draw);
  }

  show(kind, on) {
    this.shown[kind] = on;
    localStorage.setItem('boxes', JSON.stringify(this.shown));
    this.draw();
  }

  select(owner) {
    this.selected = owner;
    this.draw();
  }

  /** The smallest box under a point of the page. */
  hit(clientX, clientY) {
    const frame = this.canvas.getBoundingClientRect();
    const [x, y] = [clientX - frame.left, clientY - frame.top];
    const size = ({ area: [, , w, h] }) => w * h;
    return this.boxes.filter(({ area: [left, top, w, h] }) => x >= left && x <= left + w && y >= top && y <= top + h)
      .sort((a, b) => size(a) - size(b))[0] ?? null;
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const scale = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const context = this.canvas.getContext('2d');
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const wanted = !this.isReady() ? [] : this.tracks.at(this.playhead.time, this.draw).filter(({ kind }) => this.shown[kinds[kind]]);
    const [left, top, w, h] = fit(width, height, this.picture.width / this.picture.height);
    this.boxes = wanted.map((item) => ({ ...item, area: [left + item.box[0] * w, top + item.box[1] * h, (item.box[2] - item.box[0]) * w, (item.box[3] - item.box[1]) * h] }));
    const style = getComputedStyle(this.canvas);
    context.font = `600 12px ${style.fontFamily}`;
    for (const item of this.boxes) this.#drawBox(context, item, style, [left, top, w]);
  }

  #drawBox(context, { kind, owner, label, area: [x, y, w, h] }, style, [left, top, right]) {
    const chosen = owner && owner === this.selected;
    const colour = style.getPropertyValue(`--box-${kinds[kind]}`);
    context.lineWidth = chosen ? 3.5 : 2;
    context.strokeStyle = 'rgba(0,0,0,.45)';
    context.strokeRect(x - 1, y - 1, w + 2, h + 2);
    context.strokeStyle = chosen ? style.getPropertyValue('--box-chosen') : colour;
    context.strokeRect(x, y, w, h);
    if (!label || kind === 'text') return;
    const text = label.length > 40 ? `${label.slice(0, 39)}…` : label;
    const width = context.measureText(text).width + 12;
    const labelY = y - 20 < top ? y + h + 20 <= this.stage.clientHeight ? y + h + 2 : y + 2 : y - 20;
    const labelX = Math.min(Math.max(x - 1, left), left + right - width);
    context.fillStyle = chosen ? style.getPropertyValue('--box-chosen') : colour;
    context.beginPath();
    context.roundRect(labelX, labelY, width, 18, 4);
    context.fill();
    context.fillStyle = '#111417';
    context.fillText(text, labelX + 6, labelY + 13);
  }
}

function readShown() {
  try {
    return { people: true, objects: true, text: true, ...JSON.parse(localStorage.getItem('boxes') ?? '{}') };
  } catch {
    return { people: true, objects: true, text: true };
  }
}

/** Where a picture lies in its stage: left, top, width, height (object-fit: contain). */
function fit(width, height, aspect) {
  const w = Math.min(width, height * aspect);
  const h = w / aspect;
  return [(width - w) / 2, (height - h) / 2, w, h];
}
