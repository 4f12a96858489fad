// One video: player, timeline, tabs. The document is read again while a job of it runs, so the page fills by itself.
import { h, icon, fill, append } from '../app/dom.js';
import { api, follow } from '../app/api.js';
import { go, href, keep } from '../app/router.js';
import { t, clock, language } from '../app/words.js';
import { addKeys } from '../app/keys.js';
import { confirmDialog, menuButton, say, sayError } from '../app/dialog.js';
import { failed, loading, picture, statusBadge } from '../app/parts.js';
import { Playhead, indexAt, itemAt } from '../video/playhead.js';
import { Player } from '../video/player.js';
import { Timeline } from '../video/timeline.js';
import { lanesOf } from '../video/lanes.js';
import { Panel } from '../video/panel.js';
import { degradedBanner, JobBanner } from '../video/banners.js';
import { start } from './add.js';

const exportFormats = ['json', 'html', 'vtt', 'srt', 'captions', 'chapters', 'ffmetadata', 'csv', 'edl', 'otio'];

export function open(root, { id, params }) {
  const view = new VideoView(root, id, params);
  view.load();
  return view;
}

class VideoView {
  constructor(root, id, params) {
    Object.assign(this, { root, id, params, stops: [] });
    this.banners = h('div.banners');
    this.jobBanner = new JobBanner(() => this.reload());
    fill(root, loading());
  }

  async load() {
    try {
      const document = await api.get(`/v1/videos/${encodeURIComponent(this.id)}`);
      if (this.closed) return;
      this.build(document);
    } catch (error) {
      if (this.closed) return;
      // A video whose job has just begun has no document yet: its stages are all there is to see.
      fill(this.root, this.banners, error.status === 404 && (await this.watchJob()) ? loading(t('video.soon')) : failed(error, () => this.load()));
    }
    this.watchJob();
  }

  build(document) {
    this.document = document;
    const { video, shots } = document;
    const [rate, per] = video.picture.fps.split('/').map(Number);
    this.playhead = new Playhead(video.duration, rate > 0 ? per / rate : 0.04);
    this.context = {
      document, playhead: this.playhead, selected: this.params.get('p'), seek: (time) => this.playhead.seek(time),
      select: (of) => this.select(of), open: (tab) => this.panel.show(tab), reload: () => this.reload(),
    };
    this.player = new Player(document, this.playhead, { onPick: ({ owner, kind }) => (this.panel.show({ face: 'people', object: 'objects', text: 'text' }[kind]), this.select(owner)) });
    this.timeline = new Timeline(this.playhead, { onSelect: ({ tab, p }) => (this.panel.show(tab), p && this.select(p)) });
    this.timeline.keyframeAt = (time) => keyframeNear(this.document.shots, time)?.image;
    this.timeline.describe = (time) => this.describe(time);
    this.panel = new Panel(this.context, this.params);
    this.strip = h('div.strip', { role: 'list', 'aria-label': t('strip.label') });
    this.heading = h('div.video-head');
    fill(this.root, this.heading, this.banners, h('div.video-grid', {}, h('div.video-main', {}, this.player.element, this.timeline.element, this.strip), this.panel.element));
    globalThis.document.title = `${video.name} · PrismVid`;
    this.show(document);
    this.playhead.addEventListener('time', () => this.onTime());
    this.goTo(this.params);
    if (this.context.selected) this.select(this.context.selected);
    const dropKeys = addKeys('keys.video', this.keys());
    this.stops.push(dropKeys, () => this.player.close(), () => this.timeline.close());
    if (shots.length === 0) this.strip.hidden = true;
  }

  /** Everything that is made from the document. */
  show(document) {
    this.document = this.context.document = document;
    this.timeline.set(lanesOf(document));
    this.strip.shownScene = null;
    fill(this.heading, h('a.back', { href: href('library'), 'aria-label': t('video.back'), title: t('video.back') }, icon('back')),
      h('h1', {}, document.video.name), statusBadge({ status: document.analysis.status === 'complete' ? '' : document.analysis.status, profile: document.analysis.profile }),
      h('span.grow'), this.exportMenu(), this.actionMenu());
    fill(this.banners, this.jobBanner.element, degradedBanner(document, () => this.rerun()));
    this.drawStrip();
  }

  async reload() {
    try {
      const document = await api.get(`/v1/videos/${encodeURIComponent(this.id)}`);
      if (this.closed) return;
      if (!this.document) return this.build(document);
      this.show(document);
      this.player.renew(document);
      this.panel.renew();
    } catch (error) {
      if (error.status !== 404) sayError(error);
    }
  }

  /** Follows the running job of this video, if there is one. Resolves to whether there is. */
  async watchJob() {
    const { jobs = [] } = await api.get('/v1/jobs').catch(() => ({}));
    const job = jobs.find(({ video_id: video, state }) => video === this.id && ['queued', 'running'].includes(state));
    if (job && this.watched !== job.id) this.watch(job);
    return Boolean(job);
  }

  watch(job) {
    this.watched = job.id;
    this.jobBanner.set(job);
    append(this.banners, [this.jobBanner.element]);
    this.stops.push(follow(`/v1/jobs/${job.id}/events`, (event, data) => {
      this.jobBanner.on(event, data);
      // A stage that begins tells that the one before it has ended.
      if (['stage', 'partial', 'error'].includes(event)) this.reloadSoon();
    }));
  }

  /** Several stages often end together: one reading of the document is enough. */
  reloadSoon() {
    clearTimeout(this.reloading);
    this.reloading = setTimeout(() => !this.closed && this.reload(), 400);
  }

  update(params) {
    this.params = params;
    if (!this.panel) return;
    this.goTo(params);
    if ((params.get('tab') ?? 'summary') !== this.panel.name) this.panel.show(params.get('tab') ?? 'summary', { stay: true });
  }

  goTo(params) {
    const [from, to] = (params.get('z') ?? '').split('-').map(Number);
    if (to > from) this.timeline.show(from, to - from);
    const time = Number(params.get('t'));
    if (params.has('t') && Number.isFinite(time)) this.playhead.seek(time);
  }

  select(of) {
    this.context.selected = of;
    this.timeline.select(of);
    this.player.overlay.select(of);
    this.panel.select(of);
    keep({ p: of ?? '' });
  }

  onTime() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => !this.closed && !this.playhead.playing && keep({ t: this.playhead.time > 0 ? this.playhead.time.toFixed(3) : '' }), 250);
    this.drawStrip();
  }

  /** Keyframes of the scene at the play head. */
  drawStrip() {
    const { shots, scenes } = this.document;
    const { time } = this.playhead;
    const scene = itemAt(scenes, time);
    if (this.strip.shownScene !== (scene?.id ?? '')) {
      this.strip.shownScene = scene?.id ?? '';
      const inScene = scene ? shots.filter((shot) => shot.start < scene.end && shot.end > scene.start).slice(0, 60) : [];
      fill(this.strip, inScene.flatMap((shot) => shot.keyframes.map((k) =>
        h('div', { role: 'listitem' }, h('button.strip-frame', { type: 'button', data: { start: shot.start, end: shot.end }, 'aria-label': t('strip.jump', { time: clock(k.t, 1) }), onclick: () => this.playhead.seek(k.t) },
          picture(k.image), h('span', {}, clock(k.t)))))));
    }
    for (const frame of this.strip.querySelectorAll('.strip-frame'))
      frame.toggleAttribute('aria-current', frame.dataset.start <= time && time < frame.dataset.end);
  }

  /** For screen readers: the time, the chapter or scene, the shot. */
  describe(time) {
    const { chapters = [], shots } = this.document;
    const shot = indexAt(shots, time);
    return [clock(time, 1), itemAt(chapters, time)?.title, shot >= 0 && t('shot.number', { n: shot + 1 })].filter(Boolean).join(', ');
  }

  exportMenu() {
    return menuButton([icon('download'), h('span', {}, t('export.label'))], t('export.label'), () => exportFormats.map((format) => ({
      label: t(`export.${format}`), hint: format, href: `/v1/videos/${this.id}/export?format=${format}`, download: '',
    })));
  }

  actionMenu() {
    return menuButton(icon('menu'), t('video.menu'), () => [
      { label: t('video.rerun.deep'), run: () => this.rerun('deep') },
      { label: t('video.rerun.fast'), run: () => this.rerun('fast') },
      { label: t('video.rerun.force'), run: () => this.rerun(undefined, { force: true }) },
      { label: t('video.share'), run: () => navigator.clipboard?.writeText(location.href).then(() => say(t('copied'))) },
      null, { label: t('video.delete'), run: () => this.remove() },
    ], { className: 'icon-button' });
  }

  /** What is stored is not made again, unless it is forced. */
  async rerun(profile = this.document.analysis.profile === 'deep' ? 'deep' : 'fast', more = {}) {
    const path = decodeURIComponent((this.document.video.source?.uri ?? '').replace(/^file:\/\//, ''));
    try {
      const job = await start({ path }, profile, { language: this.document.analysis.language ?? language(), ...more });
      say(job.cached ? t('add.cached') : t('add.started'));
      if (!job.cached) this.watch({ id: job.job_id, state: 'queued', stages: [], progress: {} });
    } catch (error) {
      sayError(error);
    }
  }

  async remove() {
    if (!(await confirmDialog(t('video.delete'), t('video.delete.text', { name: this.document.video.name }), t('delete')))) return;
    try {
      await api.delete(`/v1/videos/${this.id}`);
      say(t('video.deleted'));
      go('library');
    } catch (error) {
      sayError(error);
    }
  }

  keys() {
    const { playhead } = this;
    const by = (seconds) => () => playhead.seek(playhead.time + seconds);
    const shot = (step) => () => {
      const at = indexAt(this.document.shots, playhead.time + 0.001);
      const to = this.document.shots[Math.min(Math.max(at + step, 0), this.document.shots.length - 1)];
      if (to) playhead.seek(to.start);
    };
    return [
      { keys: [' ', 'k'], label: 'keys.play', run: () => playhead.toggle() }, { keys: ['j'], label: 'keys.back10', run: by(-10) }, { keys: ['l'], label: 'keys.forward10', run: by(10) },
      { keys: ['ArrowLeft'], label: 'keys.back', run: by(-2) }, { keys: ['ArrowRight'], label: 'keys.forward', run: by(2) },
      { keys: [','], label: 'player.frame.back', run: () => playhead.step(-1) }, { keys: ['.'], label: 'player.frame.next', run: () => playhead.step(1) },
      { keys: ['ArrowUp'], label: 'keys.shot.before', run: shot(-1) }, { keys: ['ArrowDown'], label: 'keys.shot.next', run: shot(1) },
      { keys: ['+', '='], label: 'timeline.in', run: () => this.timeline.zoom(0.5) }, { keys: ['-'], label: 'timeline.out', run: () => this.timeline.zoom(2) },
      { keys: ['0'], label: 'timeline.fit', run: () => this.timeline.fitAll() }, { keys: ['b'], label: 'keys.boxes', run: () => this.player.toggleBoxes() },
      { keys: ['r'], label: 'player.loop', run: () => this.player.toggleLoop() }, { keys: ['m'], label: 'player.mute', run: () => this.player.toggleMute() },
      { keys: ['f'], label: 'player.full', run: () => this.player.fullScreen() }, { keys: ['['], label: 'keys.tab.before', run: () => this.panel.turn(-1) },
      { keys: [']'], label: 'keys.tab.next', run: () => this.panel.turn(1) }, { keys: ['a'], label: 'keys.ask', run: () => (this.panel.show('ask'), this.panel.body.querySelector('textarea').focus()) },
    ];
  }

  close() {
    this.closed = true;
    this.stops.forEach((stop) => stop());
    clearTimeout(this.keeping);
  }
}

function keyframeNear(shots, time) {
  const keyframes = shots[Math.max(0, indexAt(shots, time))]?.keyframes ?? [];
  return keyframes.reduce((best, k) => (!best || Math.abs(k.t - time) < Math.abs(best.t - time) ? k : best), null);
}
