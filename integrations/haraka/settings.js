'use strict';

/**
 * config/rollcall.ini, read and checked.
 *
 * Promises a usable value for everything that is left out or makes no sense, with a complaint for the log; only a wrong
 * `url` has none, and then everybody is deferred.
 */

const defaults = { url: 'http://127.0.0.1:10047', timeoutMs: 5000, known: 'next' };
/** Haraka itself gives a plugin 30 s. */
const longestSeconds = 25;

/** From the `main` section. Returns `{url, timeoutMs, known, complaints}`; `url` undefined when it is wrong. */
function readSettings(main) {
  const { url, timeout, known } = main ?? {};
  const complaints = [];
  const settings = { ...defaults, complaints };

  if (url !== undefined) settings.url = readUrl(String(url), complaints);
  if (timeout !== undefined) {
    const seconds = Number(timeout);
    if (seconds > 0 && seconds <= longestSeconds) settings.timeoutMs = seconds * 1000;
    else complaints.push(`timeout=${timeout} is not a number of seconds up to ${longestSeconds}: 5 is taken`);
  }
  if (known === 'ok' || known === 'next') settings.known = known;
  else if (known !== undefined) complaints.push(`known=${known} is neither next nor ok: next is taken`);
  return settings;
}

function readUrl(text, complaints) {
  try {
    const url = new URL(text);
    if (url.protocol === 'http:') return url.href.replace(/\/+$/, '');
  } catch {
    // said below
  }
  complaints.push(`url=${text} is not http://host:port: every recipient is deferred until it is`);
  return undefined;
}

module.exports = { readSettings };
