// Questions about the video. The answer streams in; its citations are pictures that move the play head.
import { h, fill, append } from '../app/dom.js';
import { api, eventsOf } from '../app/api.js';
import { href } from '../app/router.js';
import { t, term, clock, count, language, number } from '../app/words.js';
import { badge, withCommands, writtenBy, picture } from '../app/parts.js';
import { chip } from './panel_words.js';
import { itemAt } from './playhead.js';

export function ask(context) {
  const talk = (context.talk ??= h('div.talk', { 'aria-live': 'polite' }));
  const input = h('textarea', { rows: 2, 'data-search': '', placeholder: t('ask.placeholder'), 'aria-label': t('ask.placeholder'), maxlength: 2000,
    onkeydown: (event) => event.key === 'Enter' && !event.shiftKey && (event.preventDefault(), form.requestSubmit()) });
  const scope = h('select', { 'aria-label': t('ask.scope') }, ['video', 'scene', 'library'].map((name) => h('option', { value: name }, t(`ask.scope.${name}`))));
  const suggestions = h('div.facts', {}, suggested(context.document).map((question) => h('button.pill', { type: 'button', onclick: () => put(question) }, question)));
  const form = h('form.ask-form', { onsubmit: (event) => (event.preventDefault(), put(input.value.trim())) }, input,
    h('div.ask-tools', {}, scope, h('span.grow'), h('button.button.primary', { type: 'submit' }, t('ask.send'))));
  if (!talk.childElementCount) talk.append(h('div.ask-intro', {}, h('p.soft', {}, t('ask.intro')), suggestions));
  function put(question) {
    if (!question) return input.focus();
    talk.querySelector('.ask-intro')?.remove();
    input.value = '';
    askQuestion(question, scope.value, context, talk);
  }
  return { element: h('div.ask', {}, form, talk) };
}

/** Questions made from the video's own people, objects and chapters. */
function suggested({ people, objects, chapters = [], texts }) {
  const named = people.find(({ name }) => name);
  return [
    t('suggest.what'), named && t('suggest.person', { name: named.name }), chapters[1] && t('suggest.chapter', { title: chapters[1].title }),
    objects[0] && t('suggest.object', { label: [...objects].sort((a, b) => b.seen_seconds - a.seen_seconds)[0].label }), texts[0] && t('suggest.text', { text: texts[0].text.slice(0, 40) }),
  ].filter(Boolean);
}

async function askQuestion(question, scope, context, talk) {
  const answer = h('div.answer', { 'aria-busy': 'true' }, typing());
  talk.prepend(h('article.turn', {}, h('p.question', {}, question), answer));
  const scene = scope === 'scene' ? itemAt(context.document.scenes, context.playhead.time) : null;
  const path = scope === 'library' ? '/v1/ask' : `/v1/videos/${context.document.video.id}/ask`;
  const history = context.history ??= [];
  try {
    const result = await answerTo(path, { question, language: language(), history: history.slice(-6), ...(scene && { range: { start: scene.start, end: scene.end } }), stream: true }, (news) => showNews(answer, news, context));
    history.push({ question, answer: result.answer });
    showAnswer(answer, result, context);
  } catch (error) {
    fill(answer, h('p.problem', { role: 'alert' }, withCommands(error.message)));
  }
  answer.removeAttribute('aria-busy');
}

/** Posts the question; `onNews` gets what was found and the words so far, the last event holds the checked answer. */
export async function answerTo(path, body, onNews) {
  const response = await api.send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream, application/json' } });
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) return response.json();
  const told = { found: [], text: '' };
  let result = null;
  for await (const { event, data } of eventsOf(response)) {
    const value = JSON.parse(data);
    if (event === 'error') throw new Error(value.error.message);
    if (event === 'found') told.found = value.citations;
    if (event === 'look') told.text = '';  // the window before did not show it
    if (event === 'token') told.text += value.text;
    if (event === 'answer') result = value;
    else onNews(told);
  }
  if (!result) throw new Error(t('ask.cut'));
  return result;
}

const typing = () => h('span.typing', { role: 'status', 'aria-label': t('ask.thinking') }, h('i'), h('i'), h('i'));

/** An answer in the making: what was found until its first words are there. */
export function showNews(box, { found, text }, context) {
  if (text) return fill(box, h('p', {}, text));
  fill(box, typing(), found.length > 0 && [h('p.soft', {}, t('ask.found')), h('div.chips', {}, found.map((citation) => citationChip(citation, context)))]);
}

export function showAnswer(box, result, context) {
  const cite = (n) => result.citations.find((citation) => citation.n === n);
  // "[1]" in the text becomes a link to the moment it cites.
  const words = result.answer.split(/(\[\d+\])/).map((part) => {
    const citation = /^\[\d+\]$/.test(part) && cite(Number(part.slice(1, -1)));
    return citation ? h('button.cite', { type: 'button', 'aria-label': t('cite.jump', { n: citation.n, time: clock(citation.start) }), onclick: () => jump(citation, context) }, part) : part;
  });
  fill(box, h('p', {}, words), result.sufficient === false && h('p.soft', {}, t('ask.insufficient')),
    result.citations.length > 0 && h('div.chips', {}, result.citations.map((citation) => citationChip(citation, context))));
  append(box, h('div.foot', {}, h('span.soft', {}, writtenBy({ engine: result.engine, ...result.by }), ' ', usedText(result)),
    result.degraded && h('span.soft', {}, withCommands(result.degraded.message))));
}

const usedText = ({ used, engine }) => [term('engine', engine), used?.windows > 0 && count(used.windows, 'n.passages'), used?.seconds > 0 && `${number(used.seconds, 1)} s`].filter(Boolean).join(' · ');

function jump(citation, { document, playhead }) {
  if (document && citation.video === document.video.id) playhead.seek(citation.start);
  else location.hash = href('video', citation.video, { t: citation.start });
}

function citationChip(citation, context) {
  const mark = citation.verdict && citation.verdict !== 'unchecked' ? badge(citation.verdict, term('verdict', citation.verdict)) : null;
  if (context.document && citation.video === context.document.video.id)
    return chip(citation.start, citation.end, context, { n: citation.n, title: term('source', citation.source), badge: mark, image: citation.thumb });
  return h('a.chip', { href: href('video', citation.video, { t: citation.start }), 'aria-label': t('cite.jump', { n: citation.n, time: clock(citation.start) }) },
    picture(citation.thumb), h('span.chip-text', {}, h('b', {}, `[${citation.n}] `), citation.name ? `${citation.name} ` : '', clock(citation.start), mark));
}
