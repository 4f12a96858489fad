// Talks to the program. Every failure becomes an ApiError with the server's own message.
import { t } from './words.js';

export class ApiError extends Error {
  constructor(message, { status = 0, code = 'network', detail = null } = {}) {
    super(message);
    Object.assign(this, { status, code, detail });
  }
}

let askForKey = null;  // set by the shell: shows a dialog, resolves when a key was given

export const onUnauthorized = (handler) => (askForKey = handler);

/** The key of a server that listens on the network; it lives as long as the tab. */
export const apiKey = {
  get: () => sessionStorage.getItem('api_key'),
  set: (key) => sessionStorage.setItem('api_key', key),
};

async function send(path, options = {}, retry = true) {
  const headers = new Headers(options.headers);
  if (apiKey.get()) headers.set('Authorization', `Bearer ${apiKey.get()}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(t('error.offline'));
  }
  if (response.status === 401 && retry && askForKey && (await askForKey())) return send(path, options, false);
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response) {
  try {
    const { error } = await response.json();
    return new ApiError(error.message, { status: response.status, code: error.code, detail: error.detail });
  } catch {
    return new ApiError(t('error.status', { status: response.status }), { status: response.status, code: 'http' });
  }
}

const withBody = (method) => (path, body, options = {}) =>
  send(path, {
    ...options, method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: body === undefined ? options.headers : { 'Content-Type': 'application/json', ...options.headers },
  }).then(readBody);

async function readBody(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

export const api = {
  send,
  get: (path, options) => send(path, options).then(readBody),
  post: withBody('POST'),
  patch: withBody('PATCH'),
  delete: withBody('DELETE'),
};

/** Reads server-sent events of one response: yields {event, data, id}. */
export async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value.replaceAll('\r\n', '\n');
      for (let end; (end = buffer.indexOf('\n\n')) >= 0; buffer = buffer.slice(end + 2)) {
        const event = parseEvent(buffer.slice(0, end));
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(block) {
  const event = { event: 'message', data: '', id: null };
  for (const line of block.split('\n')) {
    const [, field, value] = /^([^:]+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'data') event.data += (event.data ? '\n' : '') + value;
    else if (field === 'event' || field === 'id') event[field] = value;
  }
  return event.data || event.event !== 'message' ? event : null;
}

/**
 * Follows a stream of events until it says `done`, is stopped, or is gone for good; reconnects with Last-Event-ID.
 * Returns a function that stops it.
 */
export function follow(path, onEvent) {
  const stop = new AbortController();
  (async () => {
    let last = null;
    for (let wait = 500; !stop.signal.aborted; wait = Math.min(wait * 2, 10000)) {
      try {
        const response = await send(path, { signal: stop.signal, headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) } });
        for await (const { event, data, id } of eventsOf(response)) {
          if (id) last = id;
          wait = 500;
          if (data) onEvent(event, JSON.parse(data));
          if (event === 'done' || event === 'error') return;
        }
      } catch (error) {
        if (error.name === 'AbortError' || error.status >= 400) return;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  })();
  return () => stop.abort();
}
