// All videos: a grid with what is known about each, and how more get in.
import { h, icon, fill, append } from '../app/dom.js';
import { api, follow } from '../app/api.js';
import { here, href, keep } from '../app/router.js';
import { t, count, clock, date, percent } from '../app/words.js';
import { addKeys } from '../app/keys.js';
import { empty, failed, loading, picture, progressBar, statusBadge, statusOf } from '../app/parts.js';
import { addDialog, addFiles, watchDrops } from './add.js';

const orders = {
  newest: (a, b) => String(b.added_at ?? '').localeCompare(a.added_at ?? ''),
  oldest: (a, b) => String(a.added_at ?? '').localeCompare(b.added_at ?? ''),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  longest: (a, b) => b.duration - a.duration,
  shortest: (a, b) => a.duration - b.duration,
};
const states = ['deep', 'fast', 'partial', 'running', 'failed'];

export function open(root, { params }) {
  const state = { videos: null, q: params.get('q') ?? '', status: params.get('status') ?? '', sort: params.get('sort') ?? 'newest' };
  const streams = new Map();  // job id -> stop
  const videoOfJob = new Map();
  let timer = null;
  const grid = h('div.cards', { role: 'list', 'aria-label': t('nav.library') });
  const summary = h('p.soft', { role: 'status' });

  const changed = (name) => (event) => {
    state[name] = event.target.value;
    keep({ [name]: state[name] === 'newest' ? '' : state[name] });
    draw();
  };
  const select = (name, label, options) =>
    h('label.field.inline', {}, h('span.visually-hidden', {}, label),
      h('select', { 'aria-label': label, onchange: changed(name) }, options.map(([value, text]) => h('option', { value, selected: value === state[name] }, text))));

  append(root, [
    h('div.page-head', {}, h('div', {}, h('h1', {}, t('nav.library')), summary),
      h('button.button.primary', { type: 'button', onclick: () => addDialog(load) }, icon('plus'), t('library.add'))),
    h('div.toolbar', {},
      h('input.grow', { type: 'search', 'data-search': '', placeholder: t('library.filter'), 'aria-label': t('library.filter'), value: state.q, oninput: changed('q') }),
      select('status', t('library.status'), [['', t('library.all')], ...states.map((name) => [name, t(`status.${name}`)])]),
      select('sort', t('library.sort'), Object.keys(orders).map((name) => [name, t(`sort.${name}`)]))),
    grid,
  ]);
  fill(grid, loading());

  async function load() {
    try {
      state.videos = await allVideos();
      draw();
      await watchRunning();
    } catch (error) {
      fill(grid, failed(error, load));
    }
  }

  function draw() {
    if (!state.videos) return;
    const words = state.q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = (video) => words.every((word) => `${video.name} ${video.line ?? ''}`.toLocaleLowerCase().includes(word)) &&
      (!state.status || statusOf(video) === state.status);
    const videos = state.videos.filter(fits).sort(orders[state.sort] ?? orders.newest);
    summary.textContent = state.videos.length ? count(videos.length, 'n.videos') : '';
    if (videos.length) fill(grid, videos.map(card));
    else if (state.videos.length) fill(grid, empty(t('library.nothing'), t('library.nothing.hint')));
    else fill(grid, empty(t('library.empty'), t('library.empty.hint'), h('button.button.primary', { type: 'button', onclick: () => addDialog(load) }, t('library.add'))));
  }

  /** Running jobs move the bars of their cards. Which video it is, a job finds out first; each stage may bring more of it. */
  async function watchRunning() {
    const { jobs = [] } = await api.get('/v1/jobs?limit=200').catch(() => ({}));
    for (const job of jobs.filter(({ state: s }) => ['queued', 'running'].includes(s))) {
      videoOfJob.set(job.id, job.video_id);
      if (streams.has(job.id)) continue;
      streams.set(job.id, follow(`/v1/jobs/${job.id}/events`, (event, data) => {
        if (event === 'progress') showProgress(videoOfJob.get(job.id), data.progress);
        if (['stage', 'done', 'error'].includes(event)) loadSoon();
      }));
    }
  }

  function loadSoon() {
    clearTimeout(timer);
    timer = setTimeout(() => root.isConnected && load(), 500);
  }

  function showProgress(videoId, progress) {
    const place = videoId && grid.querySelector(`[data-id="${CSS.escape(videoId)}"] .card-progress`);
    if (place) fill(place, progressBar(progress.fraction, t('job.progress')), h('span', {}, percent(progress.fraction ?? 0)));
  }

  const dropKeys = addKeys('nav.library', [{ keys: ['n'], label: 'keys.add', run: () => addDialog(load) }]);
  const stopDrops = watchDrops((files) => addFiles(files, load));
  load();
  return {
    update: (next) => here().view === 'library' && (state.q = next.get('q') ?? '', draw()),
    close: () => (dropKeys(), stopDrops(), clearTimeout(timer), streams.forEach((stop) => stop())),
  };
}

async function allVideos() {
  const videos = [];
  for (let cursor = ''; cursor !== null; ) {
    const page = await api.get(`/v1/videos?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    videos.push(...page.videos);
    cursor = page.next_cursor ?? page.cursor ?? null;
  }
  return videos;
}

function card(video) {
  const running = ['running', 'queued'].includes(video.status);
  return h('article.card', { role: 'listitem', data: { id: video.id } },
    h('a.card-link', { href: href('video', video.id) },
      h('span.poster', {}, picture(video.thumb), video.duration > 0 && h('span.poster-time', {}, clock(video.duration))),
      h('span.card-body', {},
        h('strong.card-name', { title: video.name }, video.name),
        h('span.card-line', {}, video.line ?? ''),
        h('span.card-foot', {}, statusBadge(video), h('span.soft', {}, date(video.added_at))))),
    h('div.card-progress', {}, running && progressBar(video.progress?.fraction, t('job.progress'))));
}
