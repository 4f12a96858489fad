// What a person decides: names, who is who, better words. Each change can be undone from the message that reports it.
import { h, fill } from '../app/dom.js';
import { api } from '../app/api.js';
import { t, clock, count } from '../app/words.js';
import { confirmDialog, openDialog, promptDialog, say, sayError } from '../app/dialog.js';
import { empty, face, failed, loading, nameOf, picture } from '../app/parts.js';
import { href } from '../app/router.js';

const path = (person, action = '') => `/v1/people/${encodeURIComponent(person.id)}${action}`;

/** Runs an edit, reports it with an undo, and reads again what is shown. */
export async function edit(work, text, done) {
  try {
    const result = await work();
    const ids = result.edit_ids ?? [result.edit_id];
    const undo = async () => {
      for (const id of ids.toReversed()) await api.delete(`/v1/edits/${id}`).catch(sayError);
      done();
    };
    say(text, { action: { label: t('undo'), run: undo } });
    done();
  } catch (error) {
    sayError(error);
  }
}

/** Corrects a text, a caption or a chapter's title of one video. */
export async function correct(video, op, { id, value }, done) {
  const better = await promptDialog(t('edit.title'), t(`edit.${op}`), { value });
  if (better && better !== value) await edit(() => api.post(`/v1/videos/${video}/edits`, { op, target: id, value: better }), t('edit.done'), done);
}

export async function rename(person, done) {
  const name = await promptDialog(t('person.rename'), t('person.name'), { value: person.name ?? '' });
  if (name && name !== person.name) await edit(() => api.patch(path(person), { name }), t('person.renamed', { name }), done);
}

export const hide = (person, done, hidden = true) =>
  edit(() => api.patch(path(person), { hidden }), t(hidden ? 'person.hidden' : 'person.shown', { name: nameOf(person) }), done);

export function merge(into, others, done) {
  return edit(() => api.post(path(into, '/merge'), { from: others.map(({ id }) => id) }), t('person.merged', { name: nameOf(into) }), done);
}

/** Chooses the one who stays, from everybody in the library. */
export function mergeInto(person, done) {
  const list = h('div.choose-people', {}, loading());
  const dialog = openDialog(t('person.merge'), [h('p.soft', {}, t('person.merge.hint', { name: nameOf(person) })), list]);
  api.get('/v1/people').then(({ people }) => {
    const others = people.filter(({ id }) => id !== person.id);
    fill(list, others.length ? others.map((other) =>
      h('button.choose-person', { type: 'button', onclick: () => (dialog.close(''), merge(other, [person], done)) }, face(other), h('span', {}, nameOf(other)))) : empty(t('person.nobody')));
  }, (error) => fill(list, failed(error)));
}

/** Tracks of a person in one video are not that person: all of them, or those that are ticked. */
export function notThisPerson(person, document, done) {
  chooseTracks(person, document?.video.id ?? null, t('person.not'), t('person.not.hint', { name: nameOf(person) }), (faces) =>
    edit(() => api.post(path(person, '/not'), { faces }), t('person.notDone', { name: nameOf(person) }), done));
}

export function split(person, done) {
  chooseTracks(person, null, t('person.split'), t('person.split.hint', { name: nameOf(person) }), (faces) =>
    edit(() => api.post(path(person, '/split'), { faces }), t('person.splitDone'), done));
}

function chooseTracks(person, video, title, hint, use) {
  const list = h('div.choose-tracks', {}, loading());
  const form = h('form.stack', { onsubmit: submit }, h('p.soft', {}, hint), list, h('div.dialog-actions', {}, h('button.button.primary', { type: 'submit' }, title)));
  const dialog = openDialog(title, form, { wide: true });
  api.get(path(person)).then(({ faces = [] }) => {
    const fitting = faces.filter((item) => !video || item.video === video);
    fill(list, fitting.length ? fitting.map((item) => h('label.track-choice', {}, h('input', { type: 'checkbox', value: item.id }),
      item.thumb ? picture(item.thumb) : face({}), h('span', {}, `${clock(item.start)}–${clock(item.end)}`), !video && h('span.soft', {}, item.name ?? item.video))) : empty(t('person.noTracks')));
  }, (error) => fill(list, failed(error)));
  function submit(event) {
    event.preventDefault();
    const faces = [...list.querySelectorAll('input:checked')].map(({ value }) => Number(value));
    if (!faces.length) return;
    dialog.close('');
    use(faces);
  }
}

/** Deletes everything about a person, which cannot be undone; says before and after how much that is. */
export async function forget(person, done) {
  const amount = count(person.face_tracks ?? 0, 'n.tracks');
  if (!(await confirmDialog(t('person.forget'), t('person.forget.text', { name: nameOf(person), amount, videos: count(person.videos ?? 0, 'n.videos') }), t('delete')))) return;
  try {
    const { removed = {} } = await api.delete(path(person));
    say(t('person.forgotten', { amount: count(removed.face_tracks ?? 0, 'n.tracks') }));
    done();
  } catch (error) {
    sayError(error);
  }
}

/** The same for the whole library: people, vectors, pictures of faces. */
export async function forgetEverybody(people, done) {
  const tracks = people.reduce((sum, person) => sum + (person.face_tracks ?? 0), 0);
  if (!(await confirmDialog(t('people.forgetAll'), t('people.forgetAll.text', { people: count(people.length, 'n.people'), amount: count(tracks, 'n.tracks') }), t('delete')))) return;
  try {
    const { removed } = await api.delete('/v1/people');
    say(t('people.forgottenAll', { people: count(removed.people, 'n.people'), amount: count(removed.face_tracks, 'n.tracks') }));
    done();
  } catch (error) {
    sayError(error);
  }
}

/** Where a person is seen, over all videos. */
export function showAppearances(person) {
  const list = h('div.choose-tracks', {}, loading());
  const dialog = openDialog(nameOf(person), list, { wide: true });
  api.get(path(person)).then(({ faces = [] }) => fill(list, faces.length ? faces.map((item) =>
    h('a.track-choice', { href: href('video', item.video, { t: item.start, tab: 'people', p: person.id }), onclick: () => dialog.close('') },
      item.thumb ? picture(item.thumb) : face({}), h('span', {}, `${clock(item.start)}–${clock(item.end)}`), h('span.soft', {}, item.name ?? item.video))) : empty(t('person.noTracks'))),
  (error) => fill(list, failed(error)));
}
