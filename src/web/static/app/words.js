// Which language the page speaks: t('key', {name}) gives the sentence, falling back to English.
import { english } from '../words/en.js';
import { german } from '../words/de.js';

const languages = { en: english, de: german };
let current = 'en';

export function startLanguage() {
  const kept = localStorage.getItem('language');
  useLanguage(kept in languages ? kept : (navigator.language || 'en').slice(0, 2));
}

export function useLanguage(code) {
  current = code in languages ? code : 'en';
  document.documentElement.lang = current;
}

export function keepLanguage(code) {
  localStorage.setItem('language', code);
  useLanguage(code);
}

export const language = () => current;

export function t(key, values = {}) {
  const sentence = languages[current][key] ?? english[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** count(3, 'shots') reads words of the form "one shot|{n} shots". */
export function count(n, key) {
  const [one, many] = t(key).split('|');
  return (n === 1 ? one : many).replace('{n}', number(n));
}

/** A word of the document's vocabulary, such as a stage or a status; unknown ones are shown as they are. */
export function term(group, word) {
  const key = `${group}.${word}`;
  return languages[current][key] ?? english[key] ?? String(word ?? '').replaceAll('_', ' ');
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(current, { maximumFractionDigits: digits }).format(value);
/** Short, for a small mark: 1.2K. */
export const roughly = (value) => new Intl.NumberFormat(current, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
export const percent = (ratio) => new Intl.NumberFormat(current, { style: 'percent' }).format(ratio);
export const date = (text) => {
  const when = new Date(text);
  return Number.isNaN(+when) ? '' : new Intl.DateTimeFormat(current, { dateStyle: 'medium', timeStyle: 'short' }).format(when);
};

export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) (value /= 1000), ++unit;
  return `${number(value, unit && value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A place in a video: 1:02:03, or 2:03.450 with three decimals. */
export function clock(seconds, decimals = 0) {
  const scale = 10 ** decimals;
  const whole = Math.floor(Math.max(0, seconds) * scale + 1e-6);
  const rest = whole % (60 * scale);
  const minutes = Math.floor(whole / (60 * scale));
  const tail = (rest / scale).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, '0');
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** How long something takes: 24 s, 3 min 5 s, 1 h 20 min. */
export function duration(seconds) {
  if (seconds < 10) return `${number(seconds, 1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`;
  return `${Math.floor(s / 3600)} h${Math.floor((s % 3600) / 60) ? ` ${Math.floor((s % 3600) / 60)} min` : ''}`;
}
