/** `rollcall token create`, `list` and `revoke`: bearer tokens for HTTP. */
import { Option, type Command } from 'commander';
import type { Config } from '../config/schema.js';
import { RollcallError } from '../errors.js';
import type { Db } from '../store/sqlite/open.js';
import { tokenRoles, type TokenRole } from '../store/store.js';
import { actorName, type Context } from './context.js';
import { withDirectory } from './directory.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { moment, table } from './text.js';

interface CreateOptions {
  readonly tenant: string;
  readonly role: TokenRole;
}

const tenantOption = ['--tenant <tenant>', 'the tenant it belongs to', 'default'] as const;

export function registerToken(program: Command, host: Host): void {
  const token = program
    .command('token')
    .summary('create, list and revoke tokens for HTTP')
    .description('Tokens for HTTP. Only a hash of a token is kept: it can be seen once, when it is created.');
  token
    .command('create')
    .description('Creates a token and prints it. It cannot be seen again.')
    .argument('<name>', 'a name to know it by')
    .option(...tenantOption)
    .addOption(
      new Option('--role <role>', 'admin: everything; upload: lists, syncs, and reading; read: reading')
        .choices(tokenRoles)
        .default('read'),
    )
    .action((name: string, options: CreateOptions, command: Command) =>
      host.run(command, (context) => create(context, name, options)),
    );
  token
    .command('list')
    .description('Lists the tokens there are: names, roles, and when they were created.')
    .action((_options: object, command: Command) => host.run(command, list));
  token
    .command('revoke')
    .description('Makes a token worthless, from the next request on.')
    .argument('<name>', 'its name')
    .option(...tenantOption)
    .action((name: string, options: { tenant: string }, command: Command) =>
      host.run(command, (context) => revoke(context, name, options.tenant)),
    );
}

async function create(context: Context, name: string, { tenant, role }: CreateOptions): Promise<number> {
  const { config } = await context.load();
  if (!/^[\w][\w.@-]{0,63}$/.test(name)) {
    throw new RollcallError('usage', 'a token name is 1 to 64 letters, digits, dots, dashes or underscores');
  }
  requireTenant(config, tenant);
  const { createToken } = await import('../store/sqlite/tokens.js');
  const token = await withWritable(config, (db) =>
    createToken(db, { tenant, name, role, actor: actorName(), now: context.now() }),
  );
  context.answer({ name, tenant, role, token }, () => [token]);
  if (!context.json)
    context.note(`Token ${name} (${role}, tenant ${tenant}): keep it now, it is not shown again.`);
  return exitStatus.done;
}

async function list(context: Context): Promise<number> {
  const { config } = await context.load();
  const { listTokens } = await import('../store/sqlite/tokens.js');
  const tokens = await withDirectory(config, (db) => listTokens(db));
  const shown = tokens.map((token) => ({ ...token, createdAt: new Date(token.createdAt).toISOString() }));
  context.answer({ tokens: shown }, () => [
    tokens.length === 0
      ? 'There is no token. `rollcall token create NAME` makes one.'
      : table(
          ['name', 'tenant', 'role', 'created'],
          tokens.map((token) => [token.name, token.tenant, token.role, moment(token.createdAt)]),
        ),
  ]);
  return exitStatus.done;
}

async function revoke(context: Context, name: string, tenant: string): Promise<number> {
  const { config } = await context.load();
  requireTenant(config, tenant);
  const { revokeToken } = await import('../store/sqlite/tokens.js');
  const found = await withWritable(config, (db) =>
    revokeToken(db, { tenant, name, actor: actorName(), now: context.now() }),
  );
  if (!found) {
    throw new RollcallError('not-found', `tenant ${tenant} has no token named ${name}`, {
      hint: '`rollcall token list` shows those there are.',
    });
  }
  context.answer({ name, tenant, revoked: true }, () => [`Token ${name} is revoked.`]);
  return exitStatus.done;
}

function requireTenant(config: Config, tenant: string): void {
  const names = ['default', ...Object.keys(config.tenants)];
  if (names.includes(tenant)) return;
  throw new RollcallError('usage', `there is no tenant ${tenant}`, {
    hint: `Configured: ${[...new Set(names)].join(', ')}.`,
  });
}

async function withWritable<T>(config: Config, work: (db: Db) => T): Promise<T> {
  const { directoryPath, openDirectory } = await import('../store/sqlite/open.js');
  const db = openDirectory(directoryPath(config.dataDir));
  try {
    return work(db);
  } finally {
    db.close();
  }
}
