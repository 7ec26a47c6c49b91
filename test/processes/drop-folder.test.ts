/** A list dropped into a folder, with the real control and the real command line. */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Json } from '../support/product-config.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { readStore } from '../support/store.js';

let rollcall: Rollcall | undefined;
afterEach(() => rollcall?.remove());

const configuration = (settle: string, source: Json = {}): Json => ({
  domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
  sources: { staff: { kind: 'csv', folder: './inbox', settle, interval: '1s', ...source } },
});

function house(settle: string): { product: Rollcall; inbox: string } {
  const product = createRollcall(configuration(settle));
  const inbox = join(product.folder, 'inbox');
  mkdirSync(inbox);
  rollcall = product;
  return { product, inbox };
}

it('is taken by control when it was renamed into place, and put away with its report', async () => {
  const { product, inbox } = house('1s');
  const control = await product.start('control');
  writeFileSync(join(inbox, 'staff.csv.part'), 'email\nann@example.com\nbob@example.com\n');
  renameSync(join(inbox, 'staff.csv.part'), join(inbox, 'staff.csv'));
  const done = await eventually(
    () => (readdirSync(inbox).includes('done') ? readdirSync(join(inbox, 'done')) : []),
    (names) => names.length === 3,
  );
  expect(done.filter((name) => name.endsWith('-staff.csv'))).toHaveLength(1);
  expect(readStore(product.dataDir).claims).toBe(2);
  expect(readdirSync(inbox).sort()).toEqual(['done', 'processing']);
  await control.stop();
  expect(control.log()).toContain('list from folder put away');
}, 60_000);

it('is taken by `rollcall sync`, which says when nothing waits', async () => {
  const { product, inbox } = house('0s');
  const nothing = await product.cli(['sync', 'staff']);
  expect(nothing.status).not.toBe(0);
  expect(nothing.stderr).toContain('no list waits');
  writeFileSync(join(inbox, 'staff.csv'), 'email\nann@example.com\n');
  const taken = await product.cli(['sync', 'staff']);
  expect(taken).toMatchObject({ status: 0, json: { state: 'applied', counts: { added: 1 } } });
  expect(readdirSync(join(inbox, 'done'))).toHaveLength(3);
}, 60_000);

it('refuses nobody by an export that has no aliases, until somebody says that it may lack them', async () => {
  const { product, inbox } = house('0s');
  const drop = (): void =>
    writeFileSync(
      join(inbox, 'users.csv'),
      'userPrincipalName,displayName,mail,id,userType\nann@login.example,Ann,ann@example.com,1,Member\n',
    );
  const verdictOn = async (address: string): Promise<unknown> => (await product.cli(['check', address])).json;
  drop();
  expect(await product.cli(['sync', 'staff'])).toMatchObject({ status: 3, json: { complete: false } });
  expect(await verdictOn('ann@example.com')).toMatchObject({ action: 'accept' });
  expect(await verdictOn('alias@example.com')).toMatchObject({ action: 'defer' });
  product.configure(configuration('0s', { mayLack: ['aliases', 'groups'] }));
  drop();
  expect(await product.cli(['sync', 'staff'])).toMatchObject({ status: 0, json: { complete: true } });
  expect(await verdictOn('alias@example.com')).toMatchObject({ action: 'reject' });
}, 60_000);
