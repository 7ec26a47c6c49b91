import { describe, expect, it } from 'vitest';
import { createWitness, trafficEvent } from '../../src/edge/witness.js';
import { reasons, replies, type Question } from '../../src/policy/verdict.js';
import { decideByName, verdictFor } from './fake-decide.js';

const question: Question = {
  recipient: 'observed@example.com',
  form: 'smtp',
  sender: '',
  client: '192.0.2.7',
  edge: 'smtp',
};

describe('what traffic keeps of an answer', () => {
  it('in observe mode is what would have been answered', () => {
    expect(trafficEvent(question, decideByName(question), 7)).toMatchObject({
      at: 7,
      reason: 'unknown',
      action: 'accept',
      observed: true,
      code: 550,
      status: '5.1.1',
    });
  });

  it('has a key only where the address is a listed one', () => {
    const keyed = reasons.filter((reason) => trafficEvent(question, verdictFor(reason), 0).key !== undefined);
    expect(keyed).toEqual(['known', 'subaddress', 'alias-domain']);
  });
});

describe('witness', () => {
  it('tells the mail log and traffic of each answer', () => {
    const logged: unknown[] = [];
    const recorded: unknown[] = [];
    const nothing = (): void => undefined;
    const mailLog = {
      verdict: (event: unknown) => logged.push(event),
      connectionRefused: nothing,
      protocolError: nothing,
      sessionCut: nothing,
      listening: nothing,
      drained: nothing,
    };
    const witness = createWitness({
      mailLog,
      record: (event) => recorded.push(event),
      now: () => 5,
    });
    witness(question, verdictFor('unknown'));
    witness(question, verdictFor('unknown'));
    const wouldBe = { ...replies.stale, reason: 'stale' } as const;
    witness(question, { ...verdictFor('known'), wouldBe });
    expect(logged).toHaveLength(3);
    expect(recorded[0]).toMatchObject({ at: 5, reference: 'K3QX7A', reason: 'unknown' });
  });
});
