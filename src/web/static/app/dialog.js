// Dialogs, menus and short messages.
import { h, icon, append } from './dom.js';
import { t } from './words.js';

/** Opens a modal dialog; `onClose` gets its return value ('' when dismissed). */
export function openDialog(title, content, { wide = false, onClose = () => {} } = {}) {
  const heading = h('h2', { id: 'dialog-title' }, title);
  const close = h('button.icon-button', { type: 'button', 'aria-label': t('close'), onclick: () => dialog.close('') }, icon('close'));
  const dialog = h('dialog.dialog', { class: wide ? 'wide' : '', 'aria-labelledby': 'dialog-title' },
    h('div.dialog-head', {}, heading, close), h('div.dialog-body', {}, content));
  dialog.addEventListener('close', () => (dialog.remove(), onClose(dialog.returnValue)));
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close(''));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks before something that cannot be taken back. Resolves to true or false. */
export function confirmDialog(title, text, action) {
  return new Promise((resolve) => {
    const dialog = openDialog(title, [
      h('p', {}, text),
      h('div.dialog-actions', {},
        h('button.button', { type: 'button', onclick: () => dialog.close('') }, t('cancel')),
        h('button.button.danger', { type: 'button', onclick: () => dialog.close('yes') }, action)),
    ], { onClose: (value) => resolve(value === 'yes') });
  });
}

/** Asks for one line of text. Resolves to the text, or null. */
export function promptDialog(title, label, { value = '', type = 'text', action = t('save'), note = null } = {}) {
  return new Promise((resolve) => {
    const input = h('input', { type, value, required: true, autocomplete: 'off', maxlength: 1000 });
    const form = h('form.stack', { onsubmit: (event) => (event.preventDefault(), dialog.close('yes')) },
      h('label.field', {}, h('span', {}, label), input), note && h('p.soft', {}, note),
      h('div.dialog-actions', {}, h('button.button.primary', { type: 'submit' }, action)));
    const dialog = openDialog(title, form, { onClose: (result) => resolve(result === 'yes' ? input.value.trim() : null) });
    input.select();
  });
}

let messages = null;

/** A short message at the lower edge; `action` is {label, run}, for example an undo. */
export function say(text, { action = null, kind = 'info' } = {}) {
  messages ??= document.body.appendChild(h('div.toasts', { role: 'status', 'aria-live': 'polite' }));
  const remove = () => message.remove();
  const message = h('div.toast', { class: kind }, h('span', {}, text),
    action && h('button.text-button', { type: 'button', onclick: () => (remove(), action.run()) }, action.label),
    h('button.icon-button', { type: 'button', 'aria-label': t('close'), onclick: remove }, icon('close')));
  messages.append(message);
  setTimeout(remove, action || kind === 'bad' ? 10000 : 5000);
}

export const sayError = (error) => error.name !== 'AbortError' && say(error.message, { kind: 'bad' });

/** A button with a menu: items are {label, run} or {label, href, download}; null draws a line. */
export function menuButton(content, label, items, { className = 'button' } = {}) {
  const list = h('div.menu', { role: 'menu', hidden: true });
  const button = h('button', { type: 'button', class: className, 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': label, title: label }, content);
  const box = h('div.menu-box', {}, button, list);
  const close = (refocus) => {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    removeEventListener('pointerdown', outside, true);
    if (refocus) button.focus();
  };
  const outside = (event) => box.contains(event.target) || close(false);
  const open = () => {
    list.replaceChildren();
    append(list, items().map((item) => (item ? menuItem(item, () => close(true)) : h('hr'))));
    list.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    addEventListener('pointerdown', outside, true);
    list.querySelector('[role=menuitem]')?.focus();
  };
  button.addEventListener('click', () => (list.hidden ? open() : close(true)));
  list.addEventListener('keydown', (event) => moveInMenu(event, list, close));
  return box;
}

function menuItem({ label, hint, run, ...link }, close) {
  const attributes = { role: 'menuitem', tabindex: -1, onclick: () => (close(), run?.()) };
  const words = [h('span', {}, label), hint && h('span.soft', {}, hint)];
  return link.href ? h('a.menu-item', { ...attributes, ...link }, words) : h('button.menu-item', { ...attributes, type: 'button' }, words);
}

function moveInMenu(event, list, close) {
  const items = [...list.querySelectorAll('[role=menuitem]')];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next !== undefined) items.at(next % items.length).focus();
  else if (event.key === 'Escape' || event.key === 'Tab') close(event.key === 'Escape');
  else return;
  if (event.key !== 'Tab') event.preventDefault();
  event.stopPropagation();
}
