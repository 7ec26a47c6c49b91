-- Incremental reads: where the changes of a source begin that its claims do not hold yet, committed with the claims.
-- `cursor` is the source's own text. `made_from` tells the configuration it was made under: with another one the list would
-- be another, so everything is read. `full_at`: when the last complete read of everything began. `own_count`: how many objects
-- the directory said it held then, if it says so. `removed_since`: claims that incremental runs have removed since. `listed_at`:
-- when the ids of all objects were last compared (null: not since the last read of everything).
CREATE TABLE source_state (
  tenant        INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  cursor        TEXT,
  made_from     TEXT    NOT NULL DEFAULT '',
  full_at       INTEGER,
  own_count     INTEGER,
  removed_since INTEGER NOT NULL DEFAULT 0,
  listed_at     INTEGER,
  PRIMARY KEY (tenant, source)
) WITHOUT ROWID;

-- Objects that exist and have no address of ours, so no claim: a listed id that is neither here nor claimed was missed.
CREATE TABLE unclaimed (
  tenant INTEGER NOT NULL,
  source INTEGER NOT NULL,
  object TEXT    NOT NULL,
  PRIMARY KEY (tenant, source, object)
) WITHOUT ROWID;

-- Addresses of the domain that reads of changes have removed or denied since the last complete read of everything.
ALTER TABLE coverage ADD COLUMN removed_since INTEGER NOT NULL DEFAULT 0;

-- How a run read its source: `full`, everything; `changes`, what changed since the cursor; `claim`, single entries.
ALTER TABLE run ADD COLUMN mode TEXT NOT NULL DEFAULT 'full';
