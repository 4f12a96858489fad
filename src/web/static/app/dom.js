// Builds elements. Strings become text nodes, never markup: words of videos are foreign data.

const SVG = 'http://www.w3.org/2000/svg';

/** h('a.button', {href, onclick, vars: {x: '3px'}}, children...): false and null children are left out. */
export function h(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  append(element, children);
  return element;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
  else if (name === 'class') element.classList.add(...value.split(' ').filter(Boolean));
  else if (name === 'vars') for (const [key, text] of Object.entries(value)) element.style.setProperty(`--${key}`, text);
  else if (name === 'data') Object.assign(element.dataset, value);
  else if (name === 'value' || name === 'checked' || name === 'selected') element[name] = value;
  else element.setAttribute(name, value === true ? '' : value);
}

export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Long lists: the first rows at once, the rest while nothing else is to do. */
export function fillInSlices(list, items, make, slice = 120) {
  list.replaceChildren();
  let next = 0;
  const step = () => {
    if (next > 0 && !list.isConnected) return;
    const part = document.createDocumentFragment();
    for (const end = Math.min(next + slice, items.length); next < end; ++next) part.append(make(items[next], next));
    list.append(part);
    if (next < items.length) setTimeout(step);
  };
  step();
  return list;
}

const PATHS = {
  library: 'M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.3 3.3 0 0 1 0 6.200M17.5 14.3c2.5.6 4 2.5 4 5.700',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 21 21',
  jobs: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2',
  health: 'M3 12h4l2.5-6 4.5 12 2.5-6H21',
  play: 'M7 4.5v15l12-7.5Z', pause: 'M7 5h3v14H7zM14 5h3v14h-3z',
  back: 'M15 5l-7 7 7 7', forward: 'M9 5l7 7-7 7', down: 'M5 9l7 7 7-7', up: 'M5 15l7-7 7 7',
  plus: 'M12 5v14M5 12h14', minus: 'M5 12h14', close: 'M6 6l12 12M18 6 6 18', check: 'M5 12.5l4.5 4.5L19 7',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5', loop: 'M4 12a6 6 0 0 1 6-6h9M16 3l3 3-3 3M20 12a6 6 0 0 1-6 6H5M8 21l-3-3 3-3',
  camera: 'M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z',
  sound: 'M4 9.5v5h3.5L12 19V5L7.5 9.5ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11', muted: 'M4 9.5v5h3.5L12 19V5L7.5 9.5ZM16 9.5l5 5M21 9.5l-5 5',
  menu: 'M12 5.5v.01M12 12v.01M12 18.5v.01', download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14', again: 'M20 12a8 8 0 1 1-2.5-5.800M20 3v4.5h-4.5',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13', edit: 'M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19ZM14 6.5l3.5 3.5',
  sun: 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.700 1.700M17.3 17.3 19 19M5 19l1.700-1.700M17.3 6.700 19 5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z', auto: 'M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18',
  warn: 'M12 4 2.5 20h19ZM12 10v4.5M12 17v.01', spark: 'M12 3l2 6.5 6.5 2.5-6.5 2.5L12 21l-2-6.5L3.5 12 10 9.5Z', hand: 'M8 12V5.5a1.5 1.5 0 0 1 3 0V11V4a1.5 1.5 0 0 1 3 0v7V6a1.5 1.5 0 0 1 3 0v8c0 4-2 7-6 7-3 0-4.5-1.5-6-4.5L3.5 13a1.5 1.5 0 0 1 2.5-1.5Z',
  film: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4', copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', class: `icon icon-${name}`, 'aria-hidden': 'true', focusable: 'false' }))
    svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
