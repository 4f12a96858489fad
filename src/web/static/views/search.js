// Moments in all videos by words, and questions to the whole library.
import { h, fill, append } from '../app/dom.js';
import { api } from '../app/api.js';
import { href, keep } from '../app/router.js';
import { t, term, clock, count, language } from '../app/words.js';
import { badge, empty, failed, loading, picture } from '../app/parts.js';
import { answerTo, showAnswer, showNews } from '../video/ask.js';

const kinds = ['caption', 'chapter', 'text', 'transcript', 'object', 'person'];

export function open(root, { params }) {
  const input = h('input.grow', { type: 'search', name: 'q', 'data-search': '', value: params.get('q') ?? '', placeholder: t('search.placeholder'), 'aria-label': t('search.placeholder'), autocomplete: 'off' });
  const kind = h('select', { 'aria-label': t('search.kind'), onchange: () => search() }, h('option', { value: '' }, t('search.kind.all')), kinds.map((name) => h('option', { value: name, selected: params.get('kind') === name }, term('source', name))));
  const results = h('div.hits', { 'aria-live': 'polite' });
  const form = h('form.toolbar.search-form', { role: 'search', onsubmit: (event) => (event.preventDefault(), search()) }, input, kind,
    h('button.button.primary', { type: 'submit' }, t('search.go')), h('button.button', { type: 'button', onclick: ask }, t('search.ask')));
  append(root, [h('div.page-head', {}, h('div', {}, h('h1', {}, t('nav.search')), h('p.soft', {}, t('search.hint')))), form, results]);
  let turn = 0;

  async function search() {
    const text = input.value.trim();
    keep({ q: text, kind: kind.value });
    if (!text) return fill(results, empty(t('search.empty'), t('search.empty.hint')));
    const mine = ++turn;
    fill(results, loading(t('search.searching')));
    try {
      const query = new URLSearchParams({ text, top_k: 60, ...(kind.value && { kind: kind.value }) });
      const found = await api.get(`/v1/search?${query}`);
      if (mine === turn) show(found);
    } catch (error) {
      if (mine === turn) fill(results, failed(error, search));
    }
  }

  function show({ hits, stale_videos: stale = 0 }) {
    fill(results, h('p.soft', { role: 'status' }, count(hits.length, 'n.hits'), stale > 0 && ` · ${t('search.stale', { n: stale })}`),
      hits.length ? h('ul.cards', {}, hits.map(hit)) : empty(t('search.nothing'), t('search.nothing.hint')));
  }

  async function ask() {
    const question = input.value.trim();
    if (!question) return input.focus();
    keep({ q: question });
    const mine = ++turn;
    const box = h('div.answer.wide', { 'aria-busy': 'true' }, loading(t('ask.thinking')));
    fill(results, box);
    try {
      const result = await answerTo('/v1/ask', { question, language: language(), stream: true }, (news) => mine === turn && showNews(box, news, {}));
      if (mine === turn) showAnswer(box, result, {});
    } catch (error) {
      if (mine === turn) fill(box, failed(error, ask));
    }
    box.removeAttribute('aria-busy');
  }

  search();
  input.focus({ preventScroll: true });
  return { update: (next) => input.value !== (next.get('q') ?? '') && ((input.value = next.get('q') ?? ''), search()) };
}

function hit(item) {
  const why = [...new Set(item.why?.map(({ kind }) => kind) ?? [])];
  return h('li.card', {}, h('a.card-link', { href: href('video', item.video, { t: item.start }) },
    h('span.poster', {}, picture(item.thumb ?? `/v1/videos/${item.video}/keyframes/${item.keyframe}.jpg`), h('span.poster-time', {}, clock(item.start))),
    h('span.card-body', {}, h('strong.card-name', {}, item.name ?? item.video), (item.text ?? item.snippet) && h('span.card-line', {}, item.text ?? item.snippet),
      h('span.card-foot', {}, why.map((kind) => badge('quiet', term('source', kind))), item.verdict && item.verdict !== 'unchecked' && badge(item.verdict, term('verdict', item.verdict))))));
}
