/**
 * The tables of `traffic.db`, version by `user_version`. The tenant is in every key. The file holds only counts and
 * recent events, so a version it does not know is moved aside like a damaged file instead of being migrated by guess.
 */

export const trafficVersion = 1;

export const trafficSchema = `
CREATE TABLE verdict_count (
  tenant TEXT NOT NULL, domain TEXT NOT NULL, hour INTEGER NOT NULL, reason TEXT NOT NULL, action TEXT NOT NULL,
  edge TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (tenant, domain, hour, reason, action, edge)
) WITHOUT ROWID;

CREATE TABLE last_accepted (
  tenant TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) WITHOUT ROWID;

CREATE TABLE rejection (
  id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, at INTEGER NOT NULL, tenant TEXT NOT NULL,
  domain TEXT NOT NULL, edge TEXT NOT NULL, address TEXT NOT NULL, sender TEXT, client TEXT, reason TEXT NOT NULL,
  code INTEGER NOT NULL, status TEXT NOT NULL, observed INTEGER NOT NULL
);
CREATE INDEX rejection_reference ON rejection (reference);
CREATE INDEX rejection_tenant ON rejection (tenant, id);
`;
