// Starts the page: the header, and the view that the address names.
import { h, icon, fill } from './dom.js';
import { api, apiKey, onUnauthorized } from './api.js';
import { here, href, go } from './router.js';
import { t, startLanguage, keepLanguage, language } from './words.js';
import { startTheme, useTheme, theme, themes } from './theme.js';
import { addKeys, startKeys, showKeys } from './keys.js';
import { promptDialog } from './dialog.js';
import { failed } from './parts.js';

const views = {
  library: () => import('../views/library.js'),
  video: () => import('../views/video.js'),
  people: () => import('../views/people.js'),
  search: () => import('../views/search.js'),
  jobs: () => import('../views/jobs.js'),
  health: () => import('../views/health.js'),
};
const navigation = ['library', 'people', 'search', 'jobs', 'health'];
const shown = { key: '', view: null };
const main = h('main', { id: 'main', tabindex: -1 });
const runningBadge = h('span.nav-badge', { hidden: true });

function header() {
  const link = (name) => h('a', { href: href(name), data: { view: name } }, icon(name), h('span', {}, t(`nav.${name}`)), name === 'jobs' && runningBadge);
  const nextTheme = () => themes[(themes.indexOf(theme()) + 1) % themes.length];
  const themeIcon = { auto: 'auto', light: 'sun', dark: 'moon' };
  const themeButton = h('button.icon-button', { type: 'button', onclick: () => (useTheme(nextTheme()), showTheme()) });
  const showTheme = () => {
    const label = t('theme.is', { theme: t(`theme.${theme()}`) });
    fill(themeButton, icon(themeIcon[theme()]));
    themeButton.setAttribute('aria-label', label);
    themeButton.title = label;
  };
  showTheme();
  const languages = h('select.language', { 'aria-label': t('language'), onchange: (event) => (keepLanguage(event.target.value), build()) },
    [['en', 'English', 'EN'], ['de', 'Deutsch', 'DE']].map(([code, name]) => h('option', { value: code, selected: code === language() }, name)));
  return [
    h('a.skip', { href: '#main', onclick: (event) => (event.preventDefault(), main.focus()) }, t('skip')),
    h('header.top', {},
      h('a.brand', { href: href('library') }, h('img', { src: 'icon.svg', alt: '', width: 26, height: 26 }), h('span', {}, 'PrismVid')),
      h('nav', { 'aria-label': t('nav.label') }, navigation.map(link)),
      h('div.tools', {}, languages, themeButton,
        h('button.icon-button', { type: 'button', 'aria-label': t('keys.title'), title: `${t('keys.title')} (?)`, onclick: showKeys }, h('span', { 'aria-hidden': 'true' }, '?')))),
  ];
}

/** (Re)builds everything: at the start and when the language changes. */
function build() {
  shown.view?.close?.();
  Object.assign(shown, { key: '', view: null });
  fill(document.getElementById('app'), header(), main);
  addGlobalKeys();
  show();
}

async function show() {
  const place = here();
  const name = place.view in views ? place.view : 'library';
  const key = `${name}/${place.id}`;
  for (const link of document.querySelectorAll('header nav a'))
    link.toggleAttribute('aria-current', link.dataset.view === (name === 'video' ? 'library' : name));
  if (shown.key === key) return shown.view?.update?.(place.params);
  const first = shown.key === '';
  shown.view?.close?.();
  Object.assign(shown, { key, view: null });
  document.title = `${t(`nav.${name}`)} · PrismVid`;
  try {
    const { open } = await views[name]();
    if (shown.key !== key) return;
    fill(main);
    main.className = `view-${name}`;
    shown.view = open(main, place);
  } catch (error) {
    fill(main, failed(error, () => location.reload()));
  }
  scrollTo(0, 0);
  if (!first) main.focus({ preventScroll: true });
}

function addGlobalKeys() {
  const jump = (key, name) => ({ keys: [key], label: `nav.${name}`, run: () => go(name) });
  addKeys('keys.everywhere', [
    { keys: ['?'], label: 'keys.help', run: showKeys },
    { keys: ['/'], label: 'keys.search', run: () => (document.querySelector('[data-search]') ?? { focus: () => go('search') }).focus() },
    jump('1', 'library'), jump('2', 'people'), jump('3', 'search'), jump('4', 'jobs'), jump('5', 'health'),
  ]);
}

/** How many jobs run, in the header; asked for rarely, and only while somebody looks. */
async function watchJobs() {
  if (!document.hidden) {
    try {
      const { jobs = [] } = await api.get('/v1/jobs');
      const active = jobs.filter((job) => ['queued', 'running'].includes(job.state)).length;
      runningBadge.hidden = active === 0;
      runningBadge.textContent = active;
      runningBadge.setAttribute('aria-label', t('jobs.active', { n: active }));
    } catch (error) {
      runningBadge.hidden = true;
      if (error.status === 404) return;  // a service without jobs
    }
  }
  setTimeout(watchJobs, 10000);
}

let asking = null;
onUnauthorized(() => (asking ??= promptDialog(t('key.title'), t('key.label'), { type: 'password', action: t('key.use'), note: t('key.note') }).then((key) => {
  asking = null;
  if (key) apiKey.set(key);
  return Boolean(key);
})));

startTheme();
startLanguage();
startKeys();
addEventListener('hashchange', show);
build();
watchJobs();
