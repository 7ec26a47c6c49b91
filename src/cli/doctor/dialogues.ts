/**
 * What is said to each door, and what only Rollcall answers: by its name under `edges`.
 *
 * No question asks for a verdict, so none leaves a trace in the counts.
 */

export interface Dialogue {
  /** The server speaks first (RFC 5321 §4.3.1). */
  readonly waits: boolean;
  readonly say: string | Buffer;
  readonly expect: RegExp;
}

const alive: Dialogue = {
  waits: false,
  say: 'GET /healthz HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n',
  expect: /"status":"(alive|ok)"/,
};

/** Milter: version 6, all actions and all steps offered, as Sendmail 8.14 does (milter protocol, SMFIC_OPTNEG). */
const milterOffer = Buffer.from([0, 0, 0, 13, 0x4f, 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff]);

export const dialogues: Readonly<Record<string, Dialogue>> = {
  smtp: { waits: true, say: 'HELP\r\n', expect: /This server verifies recipients/ },
  proxy: { waits: true, say: 'HELP\r\n', expect: /Mail goes through to the server behind/ },
  policy: {
    waits: false,
    say: 'request=smtpd_access_policy\nprotocol_state=CONNECT\n\n',
    expect: /^action=/m,
  },
  // a key without a local part is never judged
  socketmap: { waits: false, say: '26:recipients @doctor.invalid,', expect: /^9:NOTFOUND ,/ },
  tcp: { waits: false, say: 'get @doctor.invalid\n', expect: /^500 / },
  // no question at all
  readsocket: { waits: false, say: '\n', expect: /^451 4\.4\.3 Recipient lookup failed/ },
  milter: { waits: false, say: milterOffer, expect: /^\0\0\0\x0dO\0\0\0[\x02-\x06]/ },
  http: alive,
  api: alive,
};
