// The address holds everything: #/video/v_7Kq2?t=12.5&tab=people can be sent to somebody.

export function here() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view = '', id = ''] = path.split('/').map(decodeURIComponent);
  return { view: view || 'library', id, params: new URLSearchParams(query) };
}

export function href(view, id = '', params = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== '') query.set(key, value);
  const tail = query.toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ''}${tail ? `?${tail}` : ''}`;
}

export function go(view, id, params) {
  location.hash = href(view, id, params);
}

/** Changes parameters of the present address without a new entry in the history. */
export function keep(changes) {
  const { view, id, params } = here();
  history.replaceState(history.state, '', href(view, id, { ...Object.fromEntries(params), ...changes }));
}
