// Tabs of people and objects: who and what, when, and what a person decided about them.
import { h, icon } from '../app/dom.js';
import { t, count, percent, duration } from '../app/words.js';
import { menuButton } from '../app/dialog.js';
import { face, nameOf, picture, badge } from '../app/parts.js';
import { href } from '../app/router.js';
import { rename, notThisPerson, mergeInto, hide } from '../views/edits.js';

const kMostSegments = 120;

/** When something is seen, over the whole video, with buttons to the appearance before and after the play head. */
function appearances({ instances }, context, name) {
  const { playhead } = context;
  const jump = (forward) => () => {
    const starts = instances.map(({ start }) => start);
    const to = forward ? starts.find((start) => start > playhead.time + 0.05) : starts.findLast((start) => start < playhead.time - 0.5);
    if (to !== undefined) playhead.seek(to);
  };
  const button = (forward) => h('button.icon-button.small', { type: 'button', 'aria-label': t(forward ? 'appear.next' : 'appear.before', { name }), title: t(forward ? 'appear.next' : 'appear.before', { name }), onclick: jump(forward) }, icon(forward ? 'forward' : 'back'));
  const segment = ({ start, end, confidence }) => h('i', { vars: { at: start / playhead.duration, size: Math.max(end - start, 0) / playhead.duration }, title: confidence ? percent(confidence) : null });
  const bar = h('div.appear-bar', { onclick: (event) => playhead.seek((event.offsetX / bar.clientWidth) * playhead.duration) }, joined(instances, playhead.duration / kMostSegments).map(segment));
  return h('div.appear', {}, button(false), bar, button(true));
}

/** Neighbours closer than `gap` seconds as one, where there are too many to draw. */
function joined(instances, gap) {
  if (instances.length <= kMostSegments) return instances;
  const result = [];
  for (const item of instances) {
    const last = result.at(-1);
    if (last && item.start - last.end < gap) result[result.length - 1] = { ...last, end: Math.max(last.end, item.end) };
    else result.push(item);
  }
  return result;
}

export function people(context) {
  const list = context.document.people.filter(({ status }) => status !== 'hidden').sort((a, b) => b.seen_seconds - a.seen_seconds);
  const card = (person) => {
    const name = nameOf(person);
    const menu = menuButton(icon('menu'), t('person.menu', { name }), () => [
      { label: t('person.rename'), run: () => rename(person, context.reload) },
      { label: t('person.merge'), run: () => mergeInto(person, context.reload) },
      { label: t('person.not'), run: () => notThisPerson(person, context.document, context.reload) },
      { label: t('person.hide'), run: () => hide(person, context.reload) },
      null, { label: t('person.library'), href: href('people', '', { q: person.name || person.id }) },
    ], { className: 'icon-button' });
    return h('li.thing', { data: { of: person.id, entry: '' } },
      h('div.thing-head', { onclick: () => choose(context, person) }, face(person),
        h('div.thing-words', {}, h('button.name', { type: 'button', class: person.name ? '' : 'unnamed', onclick: (event) => (event.stopPropagation(), rename(person, context.reload)), title: t('person.rename') }, name, icon('edit')),
          h('span.soft', {}, [count(person.instances.length, 'n.appearances'), duration(person.seen_seconds), person.seen_ratio > 0 && percent(person.seen_ratio)].filter(Boolean).join(' · ')),
          person.match?.source === 'human' && badge('human', t('person.byHand'))), menu),
      appearances(person, context, name));
  };
  return { element: h('ul.things', {}, list.map(card)) };
}

function choose(context, element) {
  context.select(element.id);
  if (element.instances[0]) context.playhead.seek(element.instances[0].start);
}

export function objects(context) {
  const { objects: list, labels } = context.document;
  const card = (object) => {
    const best = object.instances.find(({ best: b }) => b?.thumb)?.best;
    return h('li.thing', { data: { of: object.id, entry: '' } },
      h('div.thing-head', { onclick: () => choose(context, object) }, picture(best?.thumb),
        h('div.thing-words', {}, h('button.name', { type: 'button', onclick: () => choose(context, object) }, object.label),
          h('span.soft', {}, [count(object.instances.length, 'n.appearances'), duration(object.seen_seconds), percent(object.confidence)].join(' · ')))),
      appearances(object, context, object.label));
  };
  const label = (item) => h('li.label-row', { data: { entry: '' } }, h('span', {}, item.name), h('span.meter', { vars: { part: item.confidence }, 'aria-hidden': 'true' }, h('i')), h('span.soft.number', {}, percent(item.confidence)));
  const places = context.document.scenes.flatMap((scene) => scene.places ?? []).map(({ name, confidence }) => ({ name: `${t('objects.place')}: ${name}`, confidence }));
  return {
    element: h('div', {},
      h('ul.things', {}, [...list].sort((a, b) => b.seen_seconds - a.seen_seconds).map(card)),
      labels.length + places.length > 0 && h('section.block', {}, h('h3', {}, t('objects.labels')), h('p.soft', {}, t('objects.labels.hint')),
        h('ul.labels', {}, [...labels].sort((a, b) => b.confidence - a.confidence).slice(0, 30).concat(places.slice(0, 10)).map(label)))),
  };
}
