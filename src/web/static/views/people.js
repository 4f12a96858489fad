// Everybody the library knows: names are given here, two clusters become one, a wrong one is taken apart.
import { h, icon, fill, append } from '../app/dom.js';
import { api } from '../app/api.js';
import { keep } from '../app/router.js';
import { t, count, duration } from '../app/words.js';
import { menuButton } from '../app/dialog.js';
import { empty, face, failed, loading, nameOf } from '../app/parts.js';
import { forget, forgetEverybody, hide, merge, notThisPerson, rename, showAppearances, split } from './edits.js';

export function open(root, { params }) {
  const state = { people: null, q: params.get('q') ?? '', hidden: false, chosen: new Set() };
  const grid = h('ul.people', { 'aria-label': t('nav.people') });
  const bar = h('div.select-bar', { role: 'region', 'aria-label': t('people.selection'), hidden: true });
  const summary = h('p.soft', { role: 'status' });
  const forgetAll = h('button.button.danger.quiet', { type: 'button', hidden: true, onclick: () => forgetEverybody(state.people, load) }, t('people.forgetAll'));
  append(root, [
    h('div.page-head', {}, h('div', {}, h('h1', {}, t('nav.people')), summary), h('span.grow'), forgetAll),
    h('div.toolbar', {}, h('input.grow', { type: 'search', 'data-search': '', placeholder: t('people.filter'), 'aria-label': t('people.filter'), value: state.q, oninput: (event) => (keep({ q: (state.q = event.target.value) }), draw()) }),
      h('label.check', {}, h('input', { type: 'checkbox', onchange: (event) => ((state.hidden = event.target.checked), draw()) }), t('people.showHidden'))),
    grid, bar,
  ]);
  fill(grid, h('li', {}, loading()));

  async function load() {
    try {
      ({ people: state.people } = await api.get('/v1/people'));
      draw();
    } catch (error) {
      fill(grid, h('li', {}, failed(error, load)));
    }
  }

  function draw() {
    if (!state.people) return;
    const word = state.q.trim().toLocaleLowerCase();
    const fits = (person) => (state.hidden || !isHidden(person)) && `${nameOf(person)} ${person.id}`.toLocaleLowerCase().includes(word);
    const people = state.people.filter(fits);
    state.chosen = new Set([...state.chosen].filter((id) => state.people.some((person) => person.id === id)));
    summary.textContent = state.people.length ? count(people.length, 'n.people') : '';
    forgetAll.hidden = !state.people.length;
    fill(grid, people.length ? people.map(card) : h('li', {}, state.people.length ? empty(t('people.nothing')) : empty(t('people.empty'), t('people.empty.hint'))));
    drawBar();
  }

  function card(person) {
    const name = nameOf(person);
    const check = h('input', { type: 'checkbox', checked: state.chosen.has(person.id), 'aria-label': t('people.choose', { name }), onchange: () => {
      if (!state.chosen.delete(person.id)) state.chosen.add(person.id);
      drawBar();
    } });
    const menu = menuButton(icon('menu'), t('person.menu', { name }), () => [
      { label: t('person.appearances'), run: () => showAppearances(person) }, { label: t('person.rename'), run: () => rename(person, load) },
      { label: t('person.split'), run: () => split(person, load) }, { label: t('person.not'), run: () => notThisPerson(person, null, load) },
      { label: t(isHidden(person) ? 'person.show' : 'person.hide'), run: () => hide(person, load, !isHidden(person)) }, null, { label: t('person.forget'), run: () => forget(person, load) },
    ], { className: 'icon-button' });
    return h('li.person-card', { class: isHidden(person) ? 'is-hidden' : '' }, h('label.person-check', {}, check), menu,
      h('button.person-face', { type: 'button', 'aria-label': t('person.appearancesOf', { name }), onclick: () => showAppearances(person) }, face(person, 'large')),
      h('button.name', { type: 'button', class: person.name ? '' : 'unnamed', title: t('person.rename'), onclick: () => rename(person, load) }, h('span', {}, name), icon('edit')),
      h('span.soft', {}, [count(person.videos ?? 0, 'n.videos'), person.seen_seconds > 0 && duration(person.seen_seconds)].filter(Boolean).join(' · ')));
  }

  /** Merging acts on the selection; the first one with a name stays. */
  function drawBar() {
    const chosen = state.people.filter(({ id }) => state.chosen.has(id));
    bar.hidden = chosen.length < 1;
    const into = chosen.find(({ name }) => name) ?? chosen[0];
    const others = chosen.filter((person) => person !== into);
    fill(bar, h('span', {}, count(chosen.length, 'n.chosen')), h('span.grow'),
      chosen.length > 1 && h('button.button.primary', { type: 'button', onclick: () => (state.chosen.clear(), merge(into, others, load)) }, t('people.mergeInto', { name: nameOf(into) })),
      h('button.button', { type: 'button', onclick: () => (state.chosen.clear(), draw()) }, t('cancel')));
  }

  load();
  return { update: (next) => ((state.q = next.get('q') ?? ''), draw()) };
}

const isHidden = ({ hidden, status }) => hidden || status === 'hidden';
