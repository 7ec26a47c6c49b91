'use strict';

/**
 * Haraka plugin `rollcall`: asks Rollcall at RCPT TO whether the recipient exists.
 *
 * Promises that nobody is refused or accepted on a doubt: no answer, a late one, a strange one, and any mistake in here are
 * DENYSOFT. It never throws: to Haraka a plugin that throws has nothing against the recipient. Runs before the other rcpt
 * plugins whatever the order in config/plugins, because the first OK ends the asking.
 */

const { ask } = require('./ask');
const { readSettings } = require('./settings');

/** As Haraka's constants, which it makes global before it calls a plugin. */
const returns = {
  next: undefined,
  ok: () => globalThis.OK ?? 906,
  deny: () => globalThis.DENY ?? 902,
  denysoft: () => globalThis.DENYSOFT ?? 903,
};
const priority = -50;
const later = { code: 451, status: '4.4.3', text: 'Recipients cannot be checked now, try again later' };

/** Haraka takes code and text from an object of a class with this name (haraka-dsn). */
class DSN {
  constructor({ code, status, text }) {
    this.code = code;
    this.reply = `${status} ${text}`;
  }
}

exports.register = function () {
  load(this);
  this.register_hook('rcpt', 'rollcall_rcpt', priority);
};

function load(plugin) {
  try {
    const { main } = plugin.config.get('rollcall.ini', () => load(plugin));
    plugin.settings = readSettings(main);
  } catch (error) {
    plugin.settings = { complaints: [String(error)] };
  }
  for (const complaint of plugin.settings.complaints) plugin.logerror(`rollcall.ini: ${complaint}`);
}

exports.rollcall_rcpt = function (next, connection, params) {
  try {
    const question = questionOf(connection, params[0]);
    if (this.settings.url === undefined) throw new Error('no usable url in rollcall.ini');
    ask(this.settings, question, (error, verdict) => {
      try {
        if (error === undefined) answer(this, next, connection, verdict);
        else defer(this, next, connection, error);
      } catch (mistake) {
        defer(this, next, connection, mistake);
      }
    });
  } catch (mistake) {
    defer(this, next, connection, mistake);
  }
};

function questionOf(connection, rcpt) {
  return {
    recipient: addressOf(rcpt),
    sender: senderOf(connection.transaction.mail_from),
    client: connection.remote.ip,
  };
}

/** A property since Haraka 3.2, a method before. */
function addressOf({ address }) {
  const text = typeof address === 'function' ? address.call(arguments[0]) : address;
  if (typeof text !== 'string' || text === '') throw new Error('no recipient address');
  return text;
}

/** Empty for the null sender. */
function senderOf(sender) {
  if (sender === undefined || sender === null) return undefined;
  return sender.user === undefined || sender.user === null || sender.user === '' ? '' : addressOf(sender);
}

function answer(plugin, next, connection, verdict) {
  note(plugin, connection, verdict);
  if (verdict.reason === 'not-our-domain') return next();
  if (verdict.action === 'reject') return next(returns.deny(), new DSN(verdict));
  if (verdict.action === 'defer') return next(returns.denysoft(), new DSN(verdict));
  return plugin.settings.known === 'ok' ? next(returns.ok()) : next();
}

function defer(plugin, next, connection, error) {
  try {
    plugin.logerror(`recipient deferred: ${error?.message ?? error}`, connection);
  } catch {
    // an answer is owed all the same
  }
  next(returns.denysoft(), new DSN(later));
}

/** What later plugins and the log can read. */
function note(plugin, connection, { action, reason }) {
  connection.transaction?.results?.add(plugin, action === 'accept' ? { pass: reason } : { fail: reason });
}
