// Keyboard commands: the shell's are always there, a view adds its own. `?` lists both.
import { h } from './dom.js';
import { t } from './words.js';
import { openDialog } from './dialog.js';

const groups = new Map();  // title key -> [{keys, label, run}]

/** Adds commands; returns a function that takes them away again. `keys` are KeyboardEvent.key values. */
export function addKeys(title, commands) {
  groups.set(title, commands);
  return () => groups.delete(title);
}

export function startKeys() {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]') || typesInto(event.target, event.key)) return;
    for (const commands of [...groups.values()].reverse()) {
      const command = commands.find(({ keys }) => keys.includes(event.key));
      if (!command) continue;
      event.preventDefault();
      command.run(event);
      return;
    }
  });
}

/** Whether the element needs the key itself: fields need all, buttons and lists only some. */
function typesInto(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest('input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]')) return true;
  if (target.closest('button, a, summary, input') && [' ', 'Enter'].includes(key)) return true;
  return Boolean(target.closest('[role=tablist], [role=slider], [role=menu], input[type=range]')) && key.startsWith('Arrow');
}

const names = { ' ': 'space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };

export function showKeys() {
  const row = ({ keys, label }) =>
    h('div.key-row', {}, h('dt', {}, keys.map((key) => h('kbd', {}, key === ' ' ? t('key.space') : names[key] ?? key))), h('dd', {}, t(label)));
  openDialog(t('keys.title'), h('div.key-groups', {}, [...groups].map(([title, commands]) =>
    h('section', {}, h('h3', {}, t(title)), h('dl', {}, commands.map(row))))));
}
