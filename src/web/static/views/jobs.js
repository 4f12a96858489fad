// What is being worked on, and what was: progress comes live, a job can be cancelled.
import { h, icon, fill, append } from '../app/dom.js';
import { api, follow } from '../app/api.js';
import { href } from '../app/router.js';
import { t, term, date, duration, count } from '../app/words.js';
import { sayError } from '../app/dialog.js';
import { badge, empty, failed, loading, progressBar, progressText, withCommands } from '../app/parts.js';
import { stageList } from '../video/banners.js';

/** The file's name; a link as soon as the job knows its video. */
function jobName({ source = '', video_id: video }) {
  const name = source.split('/').pop() || video;
  return video ? h('a.job-name', { href: href('video', video) }, name) : h('strong', {}, name);
}

const active = ({ state }) => ['queued', 'running'].includes(state);

export function open(root) {
  const list = h('ul.jobs', { 'aria-label': t('nav.jobs') });
  const summary = h('p.soft', { role: 'status' });
  const streams = new Map();  // job id -> stop
  let timer = null;
  let jobs = null;
  append(root, [h('div.page-head', {}, h('div', {}, h('h1', {}, t('nav.jobs')), summary)), list]);
  fill(list, h('li', {}, loading()));

  async function load() {
    clearTimeout(timer);
    try {
      ({ jobs } = await api.get('/v1/jobs'));
      draw();
      timer = setTimeout(() => !document.hidden && load(), 5000);
    } catch (error) {
      fill(list, h('li', {}, failed(error, load)));
    }
  }

  function draw() {
    const running = jobs.filter(active);
    summary.textContent = jobs.length ? `${count(running.length, 'n.active')} · ${count(jobs.length - running.length, 'n.finished')}` : '';
    fill(list, jobs.length ? jobs.map((job) => row(job)) : h('li', {}, empty(t('jobs.empty'), t('jobs.empty.hint'), h('a.button', { href: href('library') }, t('nav.library')))));
    running.forEach(watch);
  }

  function watch(job) {
    if (streams.has(job.id)) return;
    streams.set(job.id, follow(`/v1/jobs/${job.id}/events`, (event, data) => {
      const mine = jobs.find(({ id }) => id === job.id) ?? job;
      if (event === 'progress') Object.assign(mine, data, { state: 'running' });
      if (event === 'done' || event === 'error') return load();
      list.querySelector(`[data-id="${CSS.escape(job.id)}"]`)?.replaceWith(row(mine));
    }));
  }

  function row(job) {
    const cancel = () => api.delete(`/v1/jobs/${job.id}`).then(load, sayError);
    const took = job.finished_at && job.started_at && (new Date(job.finished_at) - new Date(job.started_at)) / 1000;
    return h('li.job', { data: { id: job.id } },
      h('div.job-head', {}, badge(job.state, term('status', job.state)), jobName(job),
        h('span.soft', {}, [job.profile && term('status', job.profile), date(job.created_at), took > 0 && duration(took), job.state === 'queued' && job.queue_position > 0 && t('job.position', { n: job.queue_position })].filter(Boolean).join(' · ')),
        h('span.grow'), active(job) && h('button.button.small', { type: 'button', onclick: cancel }, icon('close'), t('cancel'))),
      active(job) && progressBar(job.state === 'queued' ? 0 : job.progress?.fraction, t('job.progress')), active(job) && h('span.soft.number', {}, progressText(job.progress)),
      active(job) && job.stages?.length > 0 && stageList(job.stages),
      job.error && h('p.problem', {}, withCommands(job.error.message)),
      job.warnings?.length > 0 && h('details', {}, h('summary', {}, count(job.warnings.length, 'n.warnings')), h('ul', {}, job.warnings.map(({ message }) => h('li', {}, message)))));
  }

  load();
  return { close: () => (clearTimeout(timer), streams.forEach((stop) => stop())) };
}
