// Whether the fast and the deep half work, each for itself, and what is installed.
import { h, fill, append } from '../app/dom.js';
import { api } from '../app/api.js';
import { t, term, number, bytes } from '../app/words.js';
import { failed, loading, withCommands } from '../app/parts.js';

export function open(root) {
  const body = h('div.health', {}, loading());
  append(root, [h('div.page-head', {}, h('div', {}, h('h1', {}, t('nav.health')))), body]);
  let timer = null;
  let models = null;
  let counts = {};

  async function load() {
    clearTimeout(timer);
    try {
      const health = await api.get('/v1/health/ready');
      draw(health);
      // Looking for models may take a while, and health must not wait for it.
      [models, counts] = await Promise.all([api.get('/v1/models').catch(() => null), api.get('/v1/jobs?limit=1').then((jobs) => jobs.counts)]);
      draw(health);
      timer = setTimeout(() => !document.hidden && load(), 10000);
    } catch (error) {
      fill(body, failed(error, load));
    }
  }

  function draw({ fast, deep, version, detail = {} }) {
    const halves = [['fast', fast, detail.fast], ['deep', deep, detail.deep], ['store', detail.store?.status, detail.store]].filter(([, status]) => status);
    fill(body,
      h('div.health-grid', {}, halves.map(([name, status, more]) => half(name, status, more))),
      queue(counts),
      modelTable(detail.fast?.models, models),
      h('p.soft', {}, `PrismVid ${version ?? ''}`, ' · ', h('a', { href: '/openapi.json' }, 'OpenAPI'), ' · ', h('a', { href: '/metrics' }, t('health.metrics'))));
  }

  load();
  return { close: () => clearTimeout(timer) };
}

function half(name, status, more = {}) {
  const fine = status === 'ready';
  const { status: _, message, models, weight_bytes: weight, ...rest } = more ?? {};
  return h('section.health-card', { class: fine ? 'good' : 'poor' },
    h('div.stage-line', {}, h('span.dot', { class: fine ? 'done' : 'unavailable', 'aria-hidden': 'true' }), h('h2', {}, t(`health.${name}`)), h('span.grow'), h('strong', {}, term('state', status))),
    h('p.soft', {}, t(`health.${name}.hint`)), message && h('p', {}, withCommands(message)),
    rows({ ...rest, ...(weight && { weights: bytes(weight) }) }));
}

function queue(counts) {
  const states = Object.entries(counts).filter(([, n]) => n > 0);
  return states.length > 0 && h('section.block', {}, h('h2', {}, t('health.queue')),
    h('div.facts', {}, states.map(([state, n]) => h('span.pill', {}, `${term('status', state)}: ${number(n)}`))));
}

/** Whatever numbers and words the program tells. */
function rows(values) {
  const list = Object.entries(values).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return list.length > 0 && h('dl.facts-list', {}, list.flatMap(([key, value]) =>
    [h('dt', {}, term('health', key)), h('dd', {}, typeof value === 'number' ? (/bytes/.test(key) ? bytes(value) : number(value, 2)) : String(value))]));
}

function modelTable(fast = [], models) {
  const deep = models?.data ?? models?.models ?? [];
  if (!fast?.length && !deep.length) return null;
  return h('section.block', {}, h('h2', {}, t('health.models')), h('ul.stage-table', {},
    fast.map(({ task, id }) => h('li', {}, h('div.stage-line', {}, h('strong', {}, id), h('span.grow'), h('span.soft', {}, term('task', task))))),
    deep.map(({ id, device }) => h('li', {}, h('div.stage-line', {}, h('strong', {}, id), h('span.grow'), h('span.soft', {}, [t('status.deep'), device].filter(Boolean).join(' · ')))))));
}
