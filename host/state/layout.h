// The tables of a pipeline's state file, one string per version.
#pragma once

namespace patchbay::host {

// A migration is a further string, applied on top; the file's user_version counts them. Version 1
// was one file for all pipelines, state.db: see legacy_state.h.
inline constexpr int kFirstVersion = 2;
inline constexpr const char* kLayout[] = {R"sql(
-- One row. `id` tells this file from every other for ever, so that a sink knows whose epochs it has.
-- `accepted`: what sinks know beyond the states is taken for known, once.
CREATE TABLE store (
  id TEXT NOT NULL, pipeline TEXT NOT NULL, next_epoch INTEGER NOT NULL, accepted INTEGER NOT NULL DEFAULT 0
);

-- In the order in which they began, whatever the clock said.
CREATE TABLE runs (
  run TEXT PRIMARY KEY, environment TEXT NOT NULL, started TEXT NOT NULL,
  finished TEXT, outcome TEXT NOT NULL, exit_code INTEGER, report TEXT
);

-- Those without their end; the others are forgotten, but for their number.
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY, lane TEXT NOT NULL, run TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('begun', 'recorded', 'discarded')),
  txns TEXT NOT NULL, record TEXT, discard TEXT
);

-- A stream of a source. `identity` says what it is and where it was delivered to; null: the next
-- run's is taken for granted.
CREATE TABLE streams (no INTEGER PRIMARY KEY, node TEXT NOT NULL, stream TEXT NOT NULL, identity TEXT, UNIQUE (node, stream));
CREATE TABLE states (
  stream INTEGER NOT NULL REFERENCES streams, split TEXT NOT NULL, state TEXT NOT NULL, run TEXT NOT NULL,
  PRIMARY KEY (stream, split)
) WITHOUT ROWID;
CREATE TABLE done (
  stream INTEGER NOT NULL REFERENCES streams, split TEXT NOT NULL, run TEXT NOT NULL,
  PRIMARY KEY (stream, split)
) WITHOUT ROWID;
-- What `state set` said of streams that no run has read yet.
CREATE TABLE given (stream TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE history (
  id INTEGER PRIMARY KEY, stream TEXT NOT NULL, split TEXT NOT NULL, state TEXT NOT NULL, run TEXT NOT NULL,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE INDEX history_of ON history (stream, id);

CREATE TABLE known_fields (
  stream TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (stream, path)
) WITHOUT ROWID;

CREATE TABLE reject_schemas (no INTEGER PRIMARY KEY, schema TEXT NOT NULL UNIQUE);
CREATE TABLE rejects (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL,
  stream TEXT NOT NULL, node TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, position TEXT NOT NULL,
  record TEXT NOT NULL, schema INTEGER REFERENCES reject_schemas, kept INTEGER NOT NULL,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE INDEX rejects_of_epoch ON rejects (epoch);
CREATE INDEX rejects_of_run ON rejects (run);

-- Names that lanes write, while splits of the pipeline run in several processes.
CREATE TABLE claims (name TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
)sql",
                                          R"sql(
-- The last epoch that each sink has committed, and where it writes. `keeps_books`: it has reported one.
CREATE TABLE delivered (
  node TEXT PRIMARY KEY, place TEXT NOT NULL, epoch INTEGER NOT NULL, keeps_books INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
)sql"};

}  // namespace patchbay::host
