/** People in a slapd, asked about one at a time by an edge and a control of the built product. */
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { staffEnv, staffInSlapd, type Json, type StaffOptions } from '../support/product-config.js';
import type { Slapd } from '../support/slapd.js';

export interface LiveHouse extends Rollcall {
  /** The configuration anew, with these changes. */
  reconfigure(options: StaffOptions): void;
}

/** Synced once, so that its list is fresh and complete. */
export async function createLiveHouse(slapd: Slapd, options: StaffOptions = {}): Promise<LiveHouse> {
  const made = (more: StaffOptions): Json =>
    staffInSlapd(slapd, {
      ...options,
      ...more,
      rest: { http: { listen: '127.0.0.1:0' }, ...options.rest, ...more.rest },
    });
  const rollcall = createRollcall(made({}), staffEnv(slapd));
  const { status, stderr } = await rollcall.cli(['sync', 'staff']);
  if (status !== 0) throw new Error(`the first sync ended with ${String(status)}: ${stderr}`);
  return { ...rollcall, reconfigure: (more) => rollcall.configure(made(more)) };
}

/** Somebody new; `mail` in example.com. */
export function newPerson(slapd: Slapd, name: string): Promise<void> {
  return slapd.add(`dn: uid=${name},ou=people,${slapd.suffix}
objectClass: inetOrgPerson
uid: ${name}
cn: ${name}
sn: ${name}
mail: ${name}@example.com
`);
}
