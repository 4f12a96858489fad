// What stands over the player: how far a running job is, and what is missing from the result and how to get it.
import { h, icon, fill } from '../app/dom.js';
import { api } from '../app/api.js';
import { t, term, percent } from '../app/words.js';
import { progressBar, progressText, withCommands } from '../app/parts.js';
import { sayError } from '../app/dialog.js';

export class JobBanner {
  constructor(onDone) {
    this.onDone = onDone;
    this.element = h('section.banner.working', { hidden: true, 'aria-label': t('job.progress') });
  }

  set(job) {
    this.job = job;
    this.#draw();
  }

  on(event, data) {
    if (event === 'progress') Object.assign(this.job, data, { state: 'running' });
    if (event === 'done' || event === 'error') {
      this.element.hidden = true;
      this.onDone();
    } else this.#draw();
  }

  #draw() {
    const { progress = {}, stages = [], state } = this.job;
    this.element.hidden = false;
    fill(this.element, h('div.banner-line', {}, h('strong', {}, t(state === 'queued' ? 'job.queued' : 'job.running')), h('span.soft', {}, progressText(progress)), h('span.grow'),
      h('button.button.small', { type: 'button', onclick: () => this.#cancel() }, t('cancel'))),
      progressBar(progress.fraction, t('job.progress')), stageList(stages));
  }

  #cancel() {
    api.delete(`/v1/jobs/${this.job.id}`).catch(sayError);
  }
}

export const stageList = (stages) => h('ul.stages', {}, stages.map(({ name, status, fraction }) =>
  h('li', { class: status }, h('span.dot', { class: status, 'aria-hidden': 'true' }), term('stage', name),
    h('span.visually-hidden', {}, ` ${term('state', status)}`), status === 'running' && fraction > 0 && h('span.number', {}, percent(fraction)))));

/** Says what is missing, why, and what mends it; nothing where nothing is missing. */
export function degradedBanner({ analysis }, onRetry) {
  const { degraded } = analysis;
  if (!degraded) return null;
  const reasons = [...new Set(analysis.stages.filter(({ name, error }) => degraded.missing.includes(name) && error).map(({ name, error }) => `${term('stage', name)}: ${error.message}`))];
  return h('section.banner.degraded', { 'aria-label': t('degraded.title') }, icon('warn'),
    h('div.banner-words', {}, h('strong', {}, t('degraded.missing', { what: degraded.missing.map((name) => term('stage', name)).join(', ') })),
      reasons.length ? h('ul', {}, reasons.map((reason) => h('li', {}, withCommands(reason)))) : h('p', {}, withCommands(degraded.message)),
      degraded.retry === 'automatic' && h('p.soft', {}, t('degraded.automatic'))),
    degraded.retry !== 'never' && h('button.button.small', { type: 'button', onclick: () => onRetry(degraded.missing) }, icon('again'), t('retry')));
}
