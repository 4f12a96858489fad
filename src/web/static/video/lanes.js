// What the timeline shows: a document becomes lanes of sorted items.
import { t, term, count, percent } from '../app/words.js';
import { nameOf } from '../app/parts.js';

/**
 * A lane: {id, kind: 'blocks' | 'turns' | 'words' | 'curve', colour, name, note, starts, ends, reach, label(i), target(i)}.
 * `turns` are items that touch and take turns in shade; `reach[i]` is the latest end of items 0..i.
 */
export function lanesOf(document) {
  const lanes = [];
  const add = (id, kind, colour, name, items, label, target = null, note = '') => {
    if (items.length) lanes.push({ id, kind, colour, name, note: note || count(items.length, 'n.entries'), label, target, ...columns(items) });
  };
  const { chapters = [], scenes, shots, people, texts, captions = [], story, objects, markers = [], transcript, highlights = [] } = document;
  add('chapters', 'words', 'chapter', t('lane.chapters'), chapters, (i) => chapters[i].title, () => ({ tab: 'chapters' }));
  add('scenes', 'turns', 'scene', t('lane.scenes'), scenes, (i) => scenes[i].title || t('scene.number', { n: i + 1 }));
  add('shots', 'turns', 'shot', t('lane.shots'), shots, (i) => shotLabel(shots[i], i));
  if (lanes.at(-1)?.id === 'shots') lanes.at(-1).wedges = shots.map(({ transition: { start, end } }) => (end > start ? [start, end] : null));
  for (const person of people.filter(({ status }) => status !== 'hidden'))
    add(person.id, 'blocks', 'person', nameOf(person), person.instances, () => nameOf(person), () => ({ tab: 'people', p: person.id }), seen(person));
  const words = flat(texts, ({ text }) => text);
  add('text', 'words', 'text', t('lane.text'), words, (i) => words[i].label, (i) => ({ tab: 'text', p: words[i].of }));
  const windows = finest(captions);
  add('captions', 'words', 'caption', t('lane.captions'), windows, (i) => windows[i].text, () => ({ tab: 'captions' }));
  const speech = transcript?.segments ?? [];
  add('transcript', 'words', 'speech', t('lane.transcript'), speech, (i) => speech[i].text, () => ({ tab: 'transcript' }));
  for (const object of [...objects].sort((a, b) => b.seen_seconds - a.seen_seconds))
    add(object.id, 'blocks', 'object', object.label, object.instances, () => object.label, () => ({ tab: 'objects', p: object.id }), seen(object));
  for (const { kind, instances } of markers) add(`marker-${kind}`, 'blocks', 'marker', term('marker', kind), instances, () => term('marker', kind));
  add('highlights', 'blocks', 'highlight', t('lane.highlights'), [...highlights].sort((a, b) => a.start - b.start), (i) => [...highlights].sort((a, b) => a.start - b.start)[i].reason, () => ({ tab: 'story' }));
  if (story?.curve?.length > 1) lanes.push(curveLane(story));
  return lanes;
}

/** Start and end as flat arrays: 5,000 shots are searched and drawn without touching an object. */
function columns(items) {
  const starts = Float64Array.from(items, ({ start }) => start);
  const ends = Float64Array.from(items, ({ end }) => end);
  const reach = new Float64Array(ends);
  for (let i = 1; i < reach.length; ++i) reach[i] = Math.max(reach[i], reach[i - 1]);
  return { starts, ends, reach, items };
}

function curveLane(story) {
  const beats = story.arcs.flatMap(({ title, beats: list }) => list.map((beat) => ({ ...beat, arc: title }))).sort((a, b) => a.start - b.start);
  return {
    id: 'story', kind: 'curve', colour: 'story', name: t('lane.story'), note: count(beats.length, 'n.beats'), curve: story.curve,
    label: (i) => `${term('beat', beats[i].kind)}: ${beats[i].text}`, target: () => ({ tab: 'story' }), ...columns(beats),
  };
}

function flat(elements, label) {
  return elements.flatMap((element) => element.instances.map(({ start, end }) => ({ start, end, label: label(element), of: element.id })))
    .sort((a, b) => a.start - b.start);
}

/** The captions of the finest level that is there: they do not overlap. */
export function finest(captions) {
  for (const level of ['shot', 'window', 'scene']) {
    const found = captions.filter((caption) => caption.level === level);
    if (found.length) return found.sort((a, b) => a.start - b.start);
  }
  return [];
}

const shotLabel = (shot, i) => [t('shot.number', { n: i + 1 }), shot.transition.kind !== 'start' && term('transition', shot.transition.kind),
  shot.framing && shot.framing !== 'unknown' && term('framing', shot.framing)].filter(Boolean).join(' · ');

const seen = ({ instances, seen_ratio: ratio }) =>
  count(instances.length, 'n.appearances') + (ratio > 0 ? ` · ${percent(ratio)}` : '');
