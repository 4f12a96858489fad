// Small pieces that several views share: states, badges, faces, marks of who wrote a text.
import { h, icon } from './dom.js';
import { t, term, clock, number, percent } from './words.js';
import { say } from './dialog.js';

export const loading = (label = t('loading')) => h('div.state-box', { role: 'status' }, h('span.spinner', { 'aria-hidden': 'true' }), label);

export const empty = (title, text = '', ...more) => h('div.state-box', {}, h('strong', {}, title), text && h('p', {}, withCommands(text)), more);

export const failed = (error, retry) =>
  h('div.state-box.bad', { role: 'alert' }, icon('warn'), h('strong', {}, t('error.title')), h('p', {}, withCommands(error.message)),
    retry && h('button.button', { type: 'button', onclick: retry }, t('retry')));

export const badge = (kind, text) => h('span.badge', { class: kind }, text);

/** Which badge a video gets: running, failed, partial, deep or fast. */
export function statusOf(video) {
  if (['running', 'queued', 'failed', 'partial', 'cancelled'].includes(video.status)) return video.status;
  return video.profile === 'deep' || video.deep ? 'deep' : 'fast';
}

export const statusBadge = (video) => badge(statusOf(video), term('status', statusOf(video)));

/** A message with its commands ('prismvid models pull') set as code that can be copied. */
export function withCommands(text) {
  return String(text).split(/('(?:prismvid|make) [^']+')/).map((part) =>
    /^'(?:prismvid|make) /.test(part) ? command(part.slice(1, -1)) : part);
}

export function command(text) {
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    say(t('copied'));
  };
  return h('span.command', {}, h('code', {}, text),
    h('button.icon-button.small', { type: 'button', 'aria-label': t('copy', { text }), title: t('copy', { text }), onclick: copy }, icon('copy')));
}

/** Who wrote a text: a small mark, model and prompt on hover and for screen readers. */
export function writtenBy(by, verdict = null) {
  if (!by) return null;
  const human = by.engine === 'human';
  const kind = human ? 'human' : by.engine === 'template' ? 'template' : 'machine';
  const details = [term('engine', by.engine ?? 'machine'), by.model, by.prompt_id && `${t('prompt')} ${by.prompt_id}`,
    by.prompt_sha256?.slice(0, 8), verdict && verdict !== 'unchecked' && term('verdict', verdict)].filter(Boolean).join(' · ');
  return h('span.mark', { class: kind, title: details, role: 'img', 'aria-label': details }, icon(human ? 'hand' : kind === 'template' ? 'film' : 'spark'));
}

/** A time that moves the play head. */
export const timeLink = (start, seek, end = null) =>
  h('button.time', { type: 'button', onclick: (event) => (event.stopPropagation(), seek(start)) },
    end === null ? clock(start) : `${clock(start)}–${clock(end)}`);

export function face(person, size = '') {
  const box = h('span.face', { class: size });
  if (person.thumb) {
    const picture = h('img', { src: person.thumb, alt: '', loading: 'lazy', onerror: () => picture.remove() });
    box.append(picture);
  } else box.append(icon('people'));
  return box;
}

export const nameOf = (person) => person.name || t('person.unknown', { id: String(person.id).replace(/^p_/, '') });

/** A picture that may be missing: the frame stays, so nothing jumps. */
export function picture(source, alt = '') {
  const box = h('span.picture');
  if (source) {
    const image = h('img', { src: source, alt, loading: 'lazy', decoding: 'async', onerror: () => image.replaceWith(icon('film')) });
    box.append(image);
  } else box.append(icon('film'));
  return box;
}

export const progressBar = (fraction, label) => {
  const known = Number.isFinite(fraction);
  return h('span.progress', { class: known ? '' : 'unknown', role: 'progressbar', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100,
    'aria-valuenow': known ? Math.round(fraction * 100) : null, vars: { part: known ? fraction : 0.3 } }, h('i'));
};

export function progressText(progress) {
  if (!progress) return '';
  return [Number.isFinite(progress.fraction) && percent(progress.fraction), progress.stage && term('stage', progress.stage),
    progress.realtime_factor > 0 && t('job.speed', { factor: number(progress.realtime_factor, 1) }),
    progress.eta_seconds > 0 && t('job.left', { time: clock(progress.eta_seconds) }),
    progress.stalled_seconds > 10 && t('job.stalled', { time: clock(progress.stalled_seconds) })].filter(Boolean).join(' · ');
}
