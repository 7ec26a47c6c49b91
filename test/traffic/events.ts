import type { TrafficEvent } from '../../src/traffic/event.js';

export function acceptedEvent(changes: Partial<TrafficEvent> = {}): TrafficEvent {
  return {
    at: 1000,
    tenant: 'default',
    domain: 'example.com',
    edge: 'smtp',
    reason: 'known',
    action: 'accept',
    observed: false,
    code: 250,
    status: '2.1.5',
    address: 'Anna@example.com',
    key: 'anna@example.com',
    sender: 'sender@client.example',
    client: '192.0.2.7',
    ...changes,
  };
}

export function rejectedEvent(changes: Partial<TrafficEvent> = {}): TrafficEvent {
  return {
    ...acceptedEvent(),
    reason: 'unknown',
    action: 'reject',
    code: 550,
    status: '5.1.1',
    address: 'nobody@example.com',
    key: undefined,
    reference: 'K3QX7A',
    ...changes,
  };
}
