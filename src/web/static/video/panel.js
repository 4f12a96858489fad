// The tabs beside the player. One tab is built at a time; each says why it is empty.
import { h, icon, fill } from '../app/dom.js';
import { keep } from '../app/router.js';
import { t, term, roughly } from '../app/words.js';
import { empty, withCommands } from '../app/parts.js';
import { ask } from './ask.js';
import { summary, story, chapters, captions, transcript, texts } from './panel_words.js';
import { people, objects } from './panel_things.js';
import { info } from './panel_info.js';

// Stages whose results a tab shows: they say why there is nothing.
const tabs = [
  { name: 'summary', make: summary, count: () => 0, stages: [] },
  { name: 'ask', make: ask, count: () => 0, stages: [] },
  { name: 'chapters', make: chapters, count: (d) => d.chapters?.length, stages: ['chapters'] },
  { name: 'captions', make: captions, count: (d) => d.captions?.length, stages: ['caption', 'describe'] },
  { name: 'story', make: story, count: (d) => (d.story?.arcs.length ?? 0) + (d.highlights?.length ?? 0), stages: ['story', 'highlights'] },
  { name: 'people', make: people, count: (d) => d.people.length, stages: ['faces', 'people'] },
  { name: 'text', make: texts, count: (d) => d.texts.length, stages: ['ocr'] },
  { name: 'transcript', make: transcript, count: (d) => d.transcript?.segments.length, stages: ['transcript'] },
  { name: 'objects', make: objects, count: (d) => d.objects.length + d.labels.length, stages: ['objects', 'labels'] },
  { name: 'info', make: info, count: () => 0, stages: [] },
];
const withoutFilter = ['summary', 'ask', 'info'];

export class Panel {
  constructor(context, params) {
    this.context = context;
    this.follows = localStorage.getItem('panel.follows') !== 'no';
    this.q = params.get('q') ?? '';
    this.list = h('div.tabs', { role: 'tablist', 'aria-label': t('tabs.label'), onkeydown: (event) => this.#onKey(event) });
    this.filter = h('input', { type: 'search', 'data-search': '', placeholder: t('panel.filter'), 'aria-label': t('panel.filter'), value: this.q, oninput: () => this.#applyFilter() });
    this.followButton = h('button.icon-button', { type: 'button', title: t('panel.follow'), 'aria-label': t('panel.follow'), 'aria-pressed': String(this.follows), onclick: () => this.#toggleFollow() }, icon('down'));
    this.tools = h('div.panel-tools', {}, this.filter, this.followButton);
    this.body = h('div.panel-body', { role: 'tabpanel', id: 'panel-body', tabindex: 0 });
    this.element = h('aside.panel', { 'aria-label': t('panel.label') }, this.list, this.tools, this.body);
    context.playhead.addEventListener('time', () => this.#onTime());
    this.show(params.get('tab') ?? 'summary', { stay: true });
  }

  /** The document has grown: counts and the present tab are made again; a question being asked is left alone. */
  renew() {
    this.#drawTabs();
    if (this.name !== 'ask' && !this.body.contains(document.activeElement?.closest('input, textarea'))) this.#make();
  }

  show(name, { stay = false } = {}) {
    this.name = tabs.some((tab) => tab.name === name) ? name : 'summary';
    if (!stay) keep({ tab: this.name === 'summary' ? '' : this.name });
    this.#drawTabs();
    this.#make();
    this.body.scrollTop = 0;
  }

  /** The tab beside the present one. */
  turn(by) {
    const at = tabs.findIndex(({ name }) => name === this.name);
    this.show(tabs[(at + by + tabs.length) % tabs.length].name);
  }

  /** Marks the entry of an element and brings it into view. */
  select(id) {
    for (const entry of this.body.querySelectorAll('[data-of]')) entry.classList.toggle('chosen', entry.dataset.of === id);
    this.body.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' });
  }

  #drawTabs() {
    const tab = ({ name, count }) => {
      const n = count(this.context.document) ?? 0;
      return h('button.tab', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-selected': String(name === this.name), 'aria-controls': 'panel-body', tabindex: name === this.name ? 0 : -1, onclick: () => this.show(name) },
        t(`tab.${name}`), n > 0 && h('span.tab-count', {}, roughly(n)));
    };
    const focused = this.list.contains(document.activeElement);
    fill(this.list, tabs.map(tab));
    const chosen = this.list.querySelector('[aria-selected=true]');
    if (focused) chosen.focus();
    requestAnimationFrame(() => (this.list.scrollLeft = chosen.offsetLeft - this.list.offsetLeft - (this.list.clientWidth - chosen.clientWidth) / 2));
  }

  #make() {
    const tab = tabs.find(({ name }) => name === this.name);
    this.body.setAttribute('aria-labelledby', `tab-${tab.name}`);
    this.tools.hidden = withoutFilter.includes(tab.name);
    const nothing = tab.stages.length > 0 && !tab.count(this.context.document);
    this.made = nothing ? { element: whyEmpty(this.context.document, tab) } : tab.make(this.context);
    fill(this.body, this.made.element);
    this.made.start?.();
    this.active = null;
    this.#applyFilter();
    this.#onTime();
    if (this.context.selected) this.select(this.context.selected);
  }

  #applyFilter() {
    this.q = this.filter.value;
    keep({ q: this.q });
    const word = withoutFilter.includes(this.name) ? '' : this.q.trim().toLocaleLowerCase();
    for (const entry of this.body.querySelectorAll('[data-entry]')) entry.hidden = word !== '' && !entry.textContent.toLocaleLowerCase().includes(word);
  }

  /** The entry at the play head is marked, and scrolled to if wanted. */
  #onTime() {
    const time = this.context.playhead.time;
    const index = this.made?.activeAt?.(time) ?? null;
    if (index === this.active) return;
    this.active = index;
    this.body.querySelector('[aria-current=true]')?.removeAttribute('aria-current');
    const entry = index === null || index < 0 ? null : this.body.querySelector(`[data-entry="${index}"]`);
    if (!entry) return;
    entry.setAttribute('aria-current', 'true');
    if (this.follows && this.context.playhead.playing) scrollInside(this.body, entry);
  }

  #toggleFollow() {
    this.follows = !this.follows;
    localStorage.setItem('panel.follows', this.follows ? 'yes' : 'no');
    this.followButton.setAttribute('aria-pressed', String(this.follows));
  }

  #onKey(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.turn(by);
  }
}

/** Scrolls the panel only, never the page. */
function scrollInside(box, entry) {
  const top = entry.offsetTop - box.clientHeight / 3;
  box.scrollTo({ top, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}

function whyEmpty({ analysis }, { name, stages }) {
  const found = analysis.stages.filter((stage) => stages.includes(stage.name));
  const working = found.find(({ status }) => ['queued', 'running'].includes(status));
  const broken = found.find(({ error, status }) => error || ['failed', 'unavailable', 'cancelled'].includes(status));
  if (working) return empty(t('empty.working'), t('empty.working.hint', { stage: term('stage', working.name) }));
  if (broken) return empty(t('empty.broken', { what: t(`tab.${name}`) }), broken.error?.message ?? term('state', broken.status));
  if (!found.some(({ status }) => ['done', 'cached'].includes(status))) return h('div.state-box', {}, h('strong', {}, t('empty.unasked', { what: t(`tab.${name}`) })), h('p', {}, withCommands(t(`empty.unasked.${['chapters', 'captions', 'story'].includes(name) ? 'deep' : 'fast'}`))));
  return empty(t(`empty.${name}`));
}
