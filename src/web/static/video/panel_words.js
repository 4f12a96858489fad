// Tabs made of sentences: summary, story, chapters, captions, transcript, text on screen.
import { h, icon, fillInSlices } from '../app/dom.js';
import { t, term, count, percent } from '../app/words.js';
import { picture, timeLink, writtenBy, badge } from '../app/parts.js';
import { coveringIndex, itemAt } from './playhead.js';
import { correct } from '../views/edits.js';
import { finest } from './lanes.js';

/** A long list whose entry at the play head is marked. `items` are sorted by start. */
export function timedList(items, entry, name) {
  const list = h('ol.entries', { class: name });
  return {
    element: list,
    start: () => fillInSlices(list, items, (item, i) => {
      const made = entry(item, i);
      made.dataset.entry = i;
      return made;
    }),
    activeAt: (time) => coveringIndex(items, time),
  };
}

/** The times that support a text, as links with a picture on hover. */
export function evidence(references, context) {
  if (!references?.length) return null;
  return h('details.evidence', {}, h('summary', {}, t('evidence.show', { n: references.length })),
    h('div.chips', {}, references.slice(0, 24).map(({ start, end }) => chip(start, end, context))));
}

/** A cited moment: its keyframe and time. */
export function chip(start, end, { document, playhead }, more = {}) {
  const shot = itemAt(document.shots, start) ?? document.shots[0];
  const image = more.image ?? nearest(shot?.keyframes ?? [], (start + end) / 2)?.image;
  return h('button.chip', { type: 'button', title: more.title ?? '', 'aria-label': t('cite.jump', { n: more.n ?? '', time: timeText(start, end) }), onclick: () => playhead.seek(start) },
    picture(image), h('span.chip-text', {}, more.n && h('b', {}, `[${more.n}] `), timeText(start, end), more.badge));
}

const timeText = (start, end) => timeLink(start, () => {}, end - start >= 1 ? end : null).textContent;

const nearest = (keyframes, time) => keyframes.reduce((best, k) => (!best || Math.abs(k.t - time) < Math.abs(best.t - time) ? k : best), null);

export function summary(context) {
  const { document } = context;
  const of = (kind) => document.summaries?.find((item) => item.kind === kind);
  // The template's line is always there; a model's own says more.
  const lines = document.summaries?.filter(({ kind }) => kind === 'line') ?? [];
  const line = lines.find(({ by }) => by.engine !== 'template') ?? lines[0];
  const block = (item) => item && h('section.block', {},
    item.kind === 'bullets' ? h('ul', {}, item.text.split('\n').map((text) => text.replace(/^[-*•]\s*/, '')).filter(Boolean).map((text) => h('li', {}, text))) :
      item.text.split(/\n{2,}/).map((text) => h('p', {}, text)),
    h('div.foot', {}, writtenBy(item.by), evidence(item.evidence, context)));
  const facts = [
    [count(document.chapters?.length ?? 0, 'n.chapters'), 'chapters', document.chapters?.length], [count(document.scenes.length, 'n.scenes'), null, document.scenes.length],
    [count(document.shots.length, 'n.shots'), null, document.shots.length], [count(document.people.length, 'n.people'), 'people', document.people.length],
    [count(document.objects.length, 'n.objects'), 'objects', document.objects.length], [count(document.texts.length, 'n.texts'), 'text', document.texts.length],
  ].filter(([, , n]) => n > 0);
  return {
    element: h('div.reading', {},
      line && h('p.lead', {}, line.text, ' ', writtenBy(line.by)),
      h('div.facts', {}, facts.map(([text, tab]) => (tab ? h('button.pill', { type: 'button', onclick: () => context.open(tab) }, text) : h('span.pill', {}, text)))),
      block(of('short')), block(of('long')), block(of('bullets')),
      highlights(context),
      h('section.block', {}, h('h3', {}, t('now.title')), nowList(context))),
    start: () => context.playhead.dispatchEvent(new Event('time')),
  };
}

/** What is to be seen at the play head; follows it as long as it is shown. */
function nowList(context) {
  const { document, playhead } = context;
  const box = h('dl.now');
  const captions = finest(document.captions ?? []);
  const present = (elements, time) => elements.filter(({ instances }) => instances.some(({ start, end }) => start <= time && time < end));
  let shown = null;
  const draw = () => {
    if (!box.isConnected && shown !== null) return playhead.removeEventListener('time', draw);
    const { time } = playhead;
    const rows = [
      ['lane.chapters', itemAt(document.chapters ?? [], time)?.title], ['lane.captions', itemAt(captions, time)?.text],
      ['tab.people', present(document.people, time).map(({ name, id }) => name || t('person.unknown', { id: id.replace(/^p_/, '') })).join(', ')],
      ['tab.objects', present(document.objects, time).map(({ label }) => label).join(', ')],
      ['tab.text', present(document.texts, time).map(({ text }) => `“${text}”`).join(' ')],
    ].filter(([, text]) => text);
    const key = JSON.stringify(rows);
    if (key === shown) return;
    shown = key;
    box.replaceChildren(...(rows.length ? rows.flatMap(([label, text]) => [h('dt', {}, t(label)), h('dd', {}, text)]) : [h('dd.soft', {}, t('now.nothing'))]));
  };
  playhead.addEventListener('time', draw);
  return box;
}

function highlights(context) {
  const { highlights: list = [] } = context.document;
  if (!list.length) return null;
  return h('section.block', {}, h('h3', {}, t('lane.highlights')), h('ol.entries', {}, list.map((item) =>
    h('li.entry', { onclick: () => context.playhead.seek(item.start) }, h('span.entry-head', {}, timeLink(item.start, context.seek, item.end), writtenBy(item.by)), h('span.entry-text', {}, item.reason)))));
}

export function story(context) {
  const { story: told } = context.document;
  if (!told) return { element: h('div.reading', {}, highlights(context)) };
  const beat = (item) => h('li.entry.beat', { data: { entry: '' }, onclick: () => context.playhead.seek(item.start) },
    h('span.entry-head', {}, badge(item.kind, term('beat', item.kind)), timeLink(item.start, context.seek, item.end)),
    h('span.entry-text', {}, item.text), evidence(item.evidence, context));
  const arc = ({ title, cast, beats }) => h('section.block', {}, h('h3', {}, title), cast?.length > 0 && h('p.soft', {}, cast.join(', ')), h('ol.entries.arc', {}, beats.map(beat)));
  return {
    element: h('div.reading', {}, h('p.soft', {}, told.genre && `${t('story.genre')}: ${told.genre} `, writtenBy(told.by)),
      told.applicable ? told.arcs.map(arc) : h('p', {}, t('story.none')), highlights(context)),
  };
}

export function chapters(context) {
  return timedList(context.document.chapters, (item) => h('li.entry.with-picture', { onclick: () => context.playhead.seek(item.start) },
    picture(pictureAt(context.document, item.start, item.end)),
    h('span.entry-main', {}, h('span.entry-head', {}, timeLink(item.start, context.seek), h('strong', {}, item.title), writtenBy(item.by), pencil(context, 'set_chapter', item.id, item.title)),
      item.summary && h('span.entry-text', {}, item.summary), evidence(item.evidence, context))), 'chapters');
}

/** Corrects a text by hand; no new analysis takes that back. */
function pencil(context, op, id, value) {
  const run = (event) => (event.stopPropagation(), correct(context.document.video.id, op, { id, value }, context.reload));
  return h('button.icon-button.small.pencil', { type: 'button', 'aria-label': t('edit.label', { text: value.slice(0, 40) }), title: t('edit.title'), onclick: run }, icon('edit'));
}

/** The keyframe in the middle of a range. */
function pictureAt(document, start, end) {
  const shot = itemAt(document.shots, (start + end) / 2);
  return shot?.keyframes[0]?.image;
}

export function captions(context) {
  const items = finest(context.document.captions);
  return timedList(items, (item) => h('li.entry', { onclick: () => context.playhead.seek(item.start) },
    h('span.entry-head', {}, timeLink(item.start, context.seek, item.end), item.verdict && item.verdict !== 'unchecked' && badge(item.verdict, term('verdict', item.verdict)), writtenBy(item.by, item.verdict), pencil(context, 'set_caption', item.id, item.text)),
    h('span.entry-text', {}, item.text), evidence(item.evidence, context)), 'captions');
}

export function transcript(context) {
  return timedList(context.document.transcript.segments, (item) => h('li.entry', { onclick: () => context.playhead.seek(item.start) },
    h('span.entry-head', {}, timeLink(item.start, context.seek), item.speaker && h('strong', {}, item.speaker)), h('span.entry-text', {}, item.text)), 'transcript');
}

/** Texts on the screen, one entry for each time it was to be read. */
export function texts(context) {
  const items = context.document.texts.flatMap((text) => text.instances.map(({ start, end }) => ({ ...text, start, end }))).sort((a, b) => a.start - b.start);
  return timedList(items, (item) => h('li.entry', { data: { of: item.id }, onclick: () => (context.playhead.seek(item.start), context.select(item.id)) },
    h('span.entry-head', {}, timeLink(item.start, context.seek, item.end), item.role !== 'unknown' && badge('quiet', term('role', item.role)), h('span.soft.number', {}, percent(item.confidence)), pencil(context, 'set_text', item.id, item.text)),
    h('span.entry-text.quoted', { lang: item.language ?? null }, item.text)), 'texts');
}
