-- directory.db: the truth. Times are milliseconds since 1970-01-01 UTC. The tenant is part of every key.

CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
-- generation: number of the last applied change. stamp: a random number that each generation gets, so that two histories of
-- one directory (a restored backup) are told apart. revision: grows with whatever the edges must see, coverage included.
INSERT INTO meta (name, value) VALUES ('generation', '0'), ('stamp', abs(random()) % 281474976710656), ('revision', '0');

CREATE TABLE tenant (
  tenant INTEGER NOT NULL PRIMARY KEY,
  name   TEXT    NOT NULL UNIQUE
);
INSERT INTO tenant (tenant, name) VALUES (1, 'default');

CREATE TABLE source (
  tenant INTEGER NOT NULL,
  source INTEGER NOT NULL UNIQUE,
  name   TEXT    NOT NULL,
  kind   TEXT    NOT NULL,
  PRIMARY KEY (tenant, source),
  UNIQUE (tenant, name)
);

-- For which domains a source's last complete read spoke, and when that read began.
-- `domain` is an A-label, or `*.` and an A-label where subdomains were taken as well.
-- `addresses`: how many it named there; a domain for which no source names any address makes nobody unknown.
-- `pending` is not 0 while addresses that the source named are missing from its claims (additions are held, or were rolled
-- back): the run that made it so. Then its list is not complete.
CREATE TABLE coverage (
  tenant      INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  domain      TEXT    NOT NULL,
  complete_at INTEGER NOT NULL,
  addresses   INTEGER NOT NULL,
  pending     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, source, domain)
);

-- "source S says address A exists, because of object O, attribute T". `spelling` is the key with the case of its local
-- part kept, when that differs. flags: 1 disabled, 2 internal-only.
CREATE TABLE claim (
  tenant    INTEGER NOT NULL,
  source    INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  object    TEXT    NOT NULL,
  attribute TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  flags     INTEGER NOT NULL,
  spelling  TEXT,
  since_run INTEGER NOT NULL,
  PRIMARY KEY (tenant, source, key, object)
) WITHOUT ROWID;

-- The last claim of a source for a key has gone: until this is old enough the address is deferred, not rejected. Means
-- nothing while the source claims the key again.
CREATE TABLE removal (
  tenant     INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  key        TEXT    NOT NULL,
  removed_at INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  PRIMARY KEY (tenant, source, key)
) WITHOUT ROWID;

CREATE TABLE run (
  run         INTEGER NOT NULL PRIMARY KEY,
  tenant      INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  kind        TEXT    NOT NULL,             -- sync upload preview claim approve discard rollback
  parent      INTEGER,                      -- the run that is approved, discarded or rolled back
  actor       TEXT    NOT NULL,
  state       TEXT    NOT NULL,             -- running, or how it ended
  resolution  TEXT,                         -- of held parts: pending approved discarded superseded
  complete    INTEGER NOT NULL DEFAULT 0,
  plan_hash   TEXT,
  held_hash   TEXT,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  generation  INTEGER,                      -- the generation this run made, if it changed anything
  stamp       INTEGER,                      -- and its stamp
  n_read      INTEGER NOT NULL DEFAULT 0,
  n_added     INTEGER NOT NULL DEFAULT 0,
  n_changed   INTEGER NOT NULL DEFAULT 0,
  n_removed   INTEGER NOT NULL DEFAULT 0,
  n_held      INTEGER NOT NULL DEFAULT 0,
  n_skipped   INTEGER NOT NULL DEFAULT 0,
  reasons     TEXT    NOT NULL DEFAULT '[]',
  notes       TEXT    NOT NULL DEFAULT '[]',
  description TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX run_by_source ON run (tenant, source, run);
CREATE UNIQUE INDEX run_by_generation ON run (generation) WHERE generation IS NOT NULL;
CREATE INDEX run_unfinished ON run (state) WHERE state = 'running';

-- What a run could not use, at most some thousands a run.
CREATE TABLE problem (
  tenant INTEGER NOT NULL,
  run    INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  place  TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  PRIMARY KEY (tenant, run, n)
) WITHOUT ROWID;

-- Every change that was applied. op: + added, ~ changed, - removed. For '-' the columns say what was; `before` is a JSON
-- array [attribute, kind, flags, spelling] for '~'.
CREATE TABLE change (
  tenant    INTEGER NOT NULL,
  run       INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  object    TEXT    NOT NULL,
  op        TEXT    NOT NULL,
  attribute TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  flags     INTEGER NOT NULL,
  spelling  TEXT,
  before    TEXT,
  PRIMARY KEY (tenant, run, key, object)
) WITHOUT ROWID;

-- The held part of a plan, waiting for approval. op: + added, - removed, ! changed so that mail is refused (disabled or
-- internal-only).
CREATE TABLE held (
  tenant    INTEGER NOT NULL,
  run       INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  object    TEXT    NOT NULL,
  op        TEXT    NOT NULL,
  attribute TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  flags     INTEGER NOT NULL,
  spelling  TEXT,
  PRIMARY KEY (tenant, run, key, object)
) WITHOUT ROWID;

-- At most one run of a source at a time, in whatever process. A lease that has expired, or whose process is gone, is free.
CREATE TABLE lease (
  tenant     INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, source)
) WITHOUT ROWID;

CREATE TABLE audit (
  tenant INTEGER NOT NULL,
  n      INTEGER NOT NULL UNIQUE,
  at     INTEGER NOT NULL,
  actor  TEXT    NOT NULL,
  action TEXT    NOT NULL,
  run    INTEGER,
  detail TEXT    NOT NULL,
  PRIMARY KEY (tenant, n)
);

-- API tokens; only the SHA-256 of a token is kept.
CREATE TABLE token (
  tenant     INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  hash       TEXT    NOT NULL UNIQUE,
  role       TEXT    NOT NULL,              -- admin upload read
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- A recipient: an address with all its claims merged into one status, over all sources of its tenant.
CREATE VIEW recipient AS
SELECT tenant,
       key,
       COUNT(*)                AS claims,
       COUNT(DISTINCT source)  AS sources,
       CASE
         WHEN MIN(flags % 2) = 1 THEN 'disabled'
         WHEN MIN(CASE WHEN flags % 2 = 0 THEN flags / 2 % 2 END) = 1 THEN 'internal-only'
         ELSE 'active'
       END                     AS status
FROM claim
GROUP BY tenant, key;
