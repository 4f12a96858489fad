// How a video gets into the library: a path or address the program can read, or an upload in pieces.
import { h, icon, fill } from '../app/dom.js';
import { api } from '../app/api.js';
import { t, language, percent } from '../app/words.js';
import { openDialog, say, sayError } from '../app/dialog.js';
import { progressBar } from '../app/parts.js';

const kPieceBytes = 8 << 20;

export function addDialog(done) {
  const source = h('input', { type: 'text', name: 'source', autocomplete: 'off', spellcheck: false, placeholder: '/media/holiday.mp4' });
  const files = h('input', { type: 'file', accept: 'video/*,.mkv,.ts,.avi', multiple: true, class: 'visually-hidden', onchange: () => take([...files.files]) });
  const profile = profileChoice();
  const take = (list) => (dialog.close(''), addFiles(list, done, profile.value()));
  const form = h('form.stack', { onsubmit: submit },
    h('label.drop', {}, icon('download'), h('strong', {}, t('add.drop')), h('span.soft', {}, t('add.choose')), files),
    h('div.divider', {}, t('add.or')),
    h('label.field', {}, h('span', {}, t('add.source')), source, h('small.soft', {}, t('add.source.hint'))),
    profile.element,
    h('div.dialog-actions', {}, h('button.button.primary', { type: 'submit' }, t('add.start'))));
  const dialog = openDialog(t('library.add'), form);
  source.focus();

  async function submit(event) {
    event.preventDefault();
    const text = source.value.trim();
    if (!text) return source.focus();
    const place = /^https?:/.test(text) ? { url: text } : { path: text };
    try {
      const job = await start(place, profile.value(), { language: language() });
      dialog.close('');
      say(job.cached ? t('add.cached') : t('add.started'));
      done();
    } catch (error) {
      showProblem(form, error);
    }
  }
}

function showProblem(form, error) {
  form.querySelector('.problem')?.remove();
  form.prepend(h('p.problem', { role: 'alert' }, error.message));
}

function profileChoice() {
  const option = (value) => h('label.choice', {}, h('input', { type: 'radio', name: 'profile', value, checked: value === 'deep' }),
    h('span', {}, h('strong', {}, t(`profile.${value}`)), h('small.soft', {}, t(`profile.${value}.hint`))));
  const element = h('fieldset.choices', {}, h('legend', {}, t('add.profile')), option('fast'), option('deep'));
  return { element, value: () => element.querySelector('input:checked').value };
}

export const start = (source, profile, more = {}) => api.post('/analyze/video', { source, profile, ...more });

/** Uploads the files one after the other and starts their jobs; a bar shows how far it is. */
export async function addFiles(files, done, profile = 'deep') {
  for (const file of files) {
    const bar = h('div.upload', { role: 'status' });
    const show = (part) => fill(bar, h('span', {}, t('add.uploading', { name: file.name })), progressBar(part, file.name), h('span.number', {}, percent(part)));
    show(0);
    document.body.append(bar);
    try {
      const upload = await sendInPieces(file, show);
      await start({ upload_id: upload }, profile, { language: language() });
      say(t('add.started'));
      done();
    } catch (error) {
      sayError(error);
    }
    bar.remove();
  }
}

/** POST /v1/uploads, then PATCH piece by piece; a broken connection goes on at the offset the server has. */
async function sendInPieces(file, show) {
  const upload = await api.post('/v1/uploads', { name: file.name, bytes: file.size });
  const id = upload.upload_id ?? upload.id;
  for (let offset = 0, failures = 0; offset < file.size; ) {
    try {
      const response = await api.send(`/v1/uploads/${id}`, {
        method: 'PATCH', body: file.slice(offset, offset + kPieceBytes),
        headers: { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) },
      });
      offset = Number(response.headers.get('Upload-Offset')) || Math.min(offset + kPieceBytes, file.size);
      failures = 0;
      show(offset / file.size);
    } catch (error) {
      if (error.status || ++failures > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** failures));
      offset = Number((await api.send(`/v1/uploads/${id}`, { method: 'HEAD' })).headers.get('Upload-Offset')) || 0;
    }
  }
  return id;
}

/** The whole window is a drop zone while a file is dragged over it. */
export function watchDrops(onFiles) {
  const zone = h('div.drop-cover', { 'aria-hidden': 'true' }, h('strong', {}, t('add.drop')));
  const over = (event) => {
    if (![...event.dataTransfer.types].includes('Files')) return;
    event.preventDefault();
    if (!zone.isConnected) document.body.append(zone);
  };
  const leave = (event) => event.relatedTarget === null && zone.remove();
  const drop = (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    zone.remove();
    onFiles([...event.dataTransfer.files]);
  };
  const handlers = { dragover: over, dragleave: leave, drop };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return () => (zone.remove(), Object.entries(handlers).forEach(([name, handler]) => removeEventListener(name, handler)));
}
