'use strict';

/**
 * One question to Rollcall: `GET /v1/verdict` over connections that are kept.
 *
 * Promises exactly one call of `done`, within the deadline whatever Rollcall does, and bounded memory. What is not a whole,
 * sensible verdict is an Error: the caller defers.
 */

const http = require('node:http');

const maxBody = 65_536;
const agent = new http.Agent({ keepAlive: true, maxSockets: 100, maxFreeSockets: 20 });

/** `done(error)` or `done(undefined, {action, code, status, text, reason})`. */
function ask({ url, timeoutMs }, question, done) {
  const target = `${url}/v1/verdict?${query(question)}`;
  let request;
  let ended = false;
  const end = (error, verdict) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    if (error !== undefined) request?.destroy();
    done(error, verdict);
  };
  const timer = setTimeout(() => end(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);

  const send = (mayRetry) => {
    const sent = http.get(target, { agent, headers: { accept: 'application/json' } });
    request = sent;
    sent.on('error', (error) => {
      // Rollcall closed a kept connection as the question left: it was not heard, so it is asked once more.
      if (mayRetry && !ended && sent.reusedSocket) send(false);
      else if (sent === request) end(error);
    });
    sent.on('response', (response) => collect(response, end));
  };
  try {
    send(true);
  } catch (error) {
    end(error);
  }
}

function query({ recipient, sender, client }) {
  const values = { recipient, sender, client };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

function collect(response, end) {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text) => {
    body += text;
    if (body.length > maxBody) end(new Error('the answer is too long'));
  });
  response.on('error', (error) => end(error));
  response.on('close', () => end(new Error('the answer was cut off')));
  response.on('end', () => {
    try {
      if (response.statusCode !== 200)
        throw new Error(`HTTP ${response.statusCode}: ${printable(body).slice(0, 200)}`);
      end(undefined, readVerdict(body));
    } catch (error) {
      end(error);
    }
  });
}

/** A refusal must be one in every word: a 5xx code, a 5.x.x status. Throws when it is not. */
function readVerdict(body) {
  const { action, code, status, text, reason } = JSON.parse(body);
  const kind = { accept: 2, reject: 5, defer: 4 }[action];
  const isSensible =
    kind !== undefined &&
    Number.isInteger(code) &&
    Math.floor(code / 100) === kind &&
    typeof status === 'string' &&
    new RegExp(`^${kind}\\.\\d{1,3}\\.\\d{1,3}$`).test(status) &&
    typeof text === 'string';
  if (!isSensible) throw new Error(`not a verdict: ${printable(body).slice(0, 200)}`);
  return { action, code, status, text: printable(text), reason: String(reason) };
}

function printable(text) {
  return text.replace(/[^\x20-\x7e]+/g, ' ').trim();
}

module.exports = { ask, readVerdict };
