// The tables of the embedded store, and the steps that lead an older file to them.
import type { DatabaseSync } from 'node:sqlite'

/** Marks an SQLite file as deskbell's (PRAGMA application_id): "dskb". */
export const APPLICATION = 0x64736b62

/**
 * Step n leads from schema n to schema n + 1. A released step is never changed: what is new comes as a further step.
 *
 * The archive keeps its rows in the order they came, with one index beside. Clustered by (owner, id), or with further
 * indexes by time and by peer, a row costs two to five times the CPU; names.ts and ids.ts stand in for these.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE accounts (
     host TEXT NOT NULL, local TEXT NOT NULL, record TEXT NOT NULL,
     PRIMARY KEY (host, local)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE rosters (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE roster_items (
     owner TEXT NOT NULL REFERENCES rosters ON DELETE CASCADE, jid TEXT NOT NULL, record TEXT NOT NULL,
     PRIMARY KEY (owner, jid)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE owners (no INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE peers (
     no INTEGER PRIMARY KEY, owner INTEGER NOT NULL, peer TEXT NOT NULL, first TEXT NOT NULL, until INTEGER NOT NULL,
     UNIQUE (owner, peer)
   ) STRICT;
   CREATE TABLE archive (
     owner INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, peer INTEGER NOT NULL, resource TEXT, stanza TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX archive_ids ON archive (owner, id);

   CREATE TABLE offline (
     id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, at INTEGER NOT NULL, stanza TEXT NOT NULL
   ) STRICT;
   CREATE INDEX offline_owners ON offline (owner, id);

   CREATE TABLE documents (
     owner TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (owner, collection, id)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE streams (stream TEXT PRIMARY KEY, version INTEGER NOT NULL, live INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX streams_live ON streams (stream) WHERE live = 1;
   CREATE TABLE commits (
     stream TEXT NOT NULL REFERENCES streams, version INTEGER NOT NULL, events TEXT NOT NULL, todo TEXT,
     PRIMARY KEY (stream, version)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX commits_undone ON commits (stream, version) WHERE todo IS NOT NULL;`,

  // Search: the number of a row is its date, with a place within the millisecond. Secure delete: no word outlives its document.
  `CREATE TABLE search_docs (no INTEGER PRIMARY KEY, space TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (space, id)) STRICT;
   CREATE VIRTUAL TABLE search_words USING fts5(marks, words, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co' tokenchars '_'");
   INSERT INTO search_words (search_words, rank) VALUES ('secure-delete', 1);`,

  // What hits are put in order by, as JSON.
  `ALTER TABLE search_docs ADD COLUMN keys TEXT;`,
]

/** The schema that this deskbell reads and writes. */
export const SCHEMA = STEPS.length

/** The schema of an open file; 0 is one without tables. */
export const schemaOf = (db: DatabaseSync): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'])

/** Leads the file to our schema. Each step is one transaction: a kill in between loses nothing, the next start goes on. */
export function migrate(db: DatabaseSync, from: number, steps: readonly string[] = STEPS): void {
  for (let n = from; n < steps.length; n++) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(steps[n] ?? '')
      db.exec(`PRAGMA user_version = ${n + 1}; PRAGMA application_id = ${APPLICATION}`)
      db.exec('COMMIT')
    } catch (e) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw e
    }
  }
}
