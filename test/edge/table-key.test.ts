/** What tables ask, and what they say of a name that is no domain. */
import { expect, it } from 'vitest';
import { questionOfKey, tableResult } from '../../src/edge/table-key.js';
import { createDecide } from '../../src/policy/decide.js';
import { createDomainTable } from '../../src/policy/domain-table.js';

const decide = createDecide({
  domains: () => createDomainTable([]),
  lookup: { find: () => [], coverage: () => undefined, generation: () => 1 },
  now: () => 0,
  reference: () => '',
});

it.each(['x@1.2.3.4', 'x@-.example', 'person@elsewhere.test'])('%s is nothing they can deny', (key) => {
  const question = questionOfKey(key, 'tcp');
  expect(question).toMatchObject({ recipient: key, folded: true });
  if (question !== undefined) expect(tableResult(decide(question))).toBe('later');
});
