/** The whole read of a Graph source, against the local Graph. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { graphSource, readChanges } from '../support/graph-client.js';
import { startGraph, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';
import { readWhole } from '../support/read-source.js';

describe('a whole read of Entra ID', () => {
  let pki: Pki;
  let graph: LocalGraph;
  beforeAll(() => {
    pki = createPki();
  });
  afterAll(() => pki.remove());
  beforeEach(async () => {
    graph = await startGraph({ pki });
  });
  afterEach(() => graph.stop());

  it('gives users, groups and contacts with the addresses of mail, and is complete', async () => {
    graph.directory.addUser('ann@example.com', ['a.n@example.com']);
    graph.directory.add('groups', { mail: 'sales@example.com', proxyAddresses: ['SMTP:sales@example.com'] });
    graph.directory.add('contacts', { mail: 'bo@example.com' });
    const { addresses, report } = await readWhole(graphSource(graph, pki));
    expect(addresses).toEqual(['ann@example.com', 'a.n@example.com', 'sales@example.com', 'bo@example.com']);
    expect(report).toMatchObject({ complete: true, reasons: [], ownCount: 3 });
  });

  it('tells afterwards what has changed', async () => {
    const ann = graph.directory.addUser('ann@example.com');
    const { report } = await readWhole(graphSource(graph, pki));
    graph.directory.set('users', ann, { proxyAddresses: ['SMTP:ann@example.com', 'smtp:new@example.com'] });
    const next = await readChanges(graphSource(graph, pki), report.cursor ?? '');
    expect(next.told).toEqual(['entry ann@example.com, new@example.com']);
    expect(next.report).toMatchObject({ doubts: [], proof: true });
  });
});
