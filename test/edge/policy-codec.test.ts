import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { createPolicyParser, type PolicyRequest } from '../../src/edge/postfix/codec.js';
import { policyRequest } from './client.js';

interface Reading {
  readonly requests: PolicyRequest[];
  readonly failed: boolean;
}

function read(chunks: readonly Buffer[], max = 4096): Reading {
  const requests: PolicyRequest[] = [];
  const parser = createPolicyParser(max);
  for (const chunk of chunks)
    if (parser.push(chunk, (request) => requests.push(request)) !== undefined)
      return { requests, failed: true };
  return { requests, failed: false };
}

/** Cuts at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

const stream = Buffer.from(
  policyRequest({ recipient: 'known@example.com', sender: '' }) +
    policyRequest({ protocol_state: 'DATA', client_address: '192.0.2.1' }) +
    policyRequest({ recipient: 'grüße@example.com', sender: 'a=b@c' }),
);

describe('policy parser', () => {
  it('reads the same requests wherever one cut is made', () => {
    const whole = read([stream]);
    expect(whole.requests.map((request) => request.recipient)).toHaveLength(3);
    for (let at = 0; at <= stream.length; at += 1) expect(read(cut(stream, [at]))).toEqual(whole);
    expect(read([...stream].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it('reads the same from any bytes, however they are cut', () => {
    const pieces = fc.constantFrom(
      'request=smtpd_access_policy\n',
      'recipient=a@b\n',
      'protocol_state=RCPT\n',
      '\n',
      'x\n',
      '=\n',
      '\0',
      'name=',
    );
    const bytes = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(all.join(''))),
      fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
    );
    const places = fc.array(fc.nat(300), { maxLength: 20 });
    fc.assert(
      fc.property(bytes, places, fc.integer({ min: 20, max: 200 }), (data, at, max) => {
        const inside = at.filter((place) => place <= data.length);
        expect(read(cut(data, inside), max)).toEqual(read([data], max));
      }),
      { numRuns: 500 },
    );
  });

  it('takes nothing from bytes that are not the protocol', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
        expect(read([Buffer.from(data)]).requests).toEqual([]);
      }),
    );
  });

  it('keeps no more than the limit of an endless request', () => {
    const parser = createPolicyParser(1024);
    const chunk = Buffer.from(`${'x'.repeat(99)}\n`.replace('x', '='));
    let pushed = 0;
    while (parser.push(chunk, () => undefined) === undefined) pushed += chunk.length;
    expect(pushed).toBeLessThanOrEqual(1024);
    expect(parser.pending()).toBe(false);
  });

  it('takes a request of exactly the limit and none longer', () => {
    const request = Buffer.from(policyRequest({ recipient: 'known@example.com' }));
    expect(read([request], request.length)).toMatchObject({ failed: false });
    expect(read([request], request.length - 1)).toEqual({ requests: [], failed: true });
  });
});
