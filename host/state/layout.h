// The tables of the state file, one string per version.
#pragma once

namespace patchbay::host {

// Version 1. A migration is a further string, applied on top; the file's user_version counts them.
inline constexpr const char* kLayout[] = {R"sql(
CREATE TABLE runs (
  run TEXT PRIMARY KEY, pipeline TEXT NOT NULL, environment TEXT NOT NULL, started TEXT NOT NULL,
  finished TEXT, outcome TEXT NOT NULL, exit_code INTEGER, report TEXT
) WITHOUT ROWID;
CREATE INDEX runs_of ON runs (pipeline, run);

CREATE TABLE epochs (
  pipeline TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, run TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('begun', 'recorded', 'committed', 'aborted')),
  txns TEXT NOT NULL, record TEXT, at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  PRIMARY KEY (pipeline, lane, epoch)
) WITHOUT ROWID;
CREATE INDEX unfinished_epochs ON epochs (pipeline) WHERE phase IN ('begun', 'recorded');

CREATE TABLE states (
  pipeline TEXT NOT NULL, split TEXT NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL, done INTEGER NOT NULL,
  PRIMARY KEY (pipeline, split)
) WITHOUT ROWID;
CREATE TABLE history (
  id INTEGER PRIMARY KEY, pipeline TEXT NOT NULL, split TEXT NOT NULL, stream TEXT NOT NULL, state TEXT NOT NULL,
  run TEXT NOT NULL, at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE INDEX history_of ON history (pipeline, stream, id);

CREATE TABLE known_fields (
  pipeline TEXT NOT NULL, stream TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL,
  PRIMARY KEY (pipeline, stream, path)
) WITHOUT ROWID;

CREATE TABLE rejects (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, run TEXT NOT NULL, lane TEXT NOT NULL,
  epoch INTEGER NOT NULL, stream TEXT NOT NULL, node TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
  position TEXT NOT NULL, record TEXT NOT NULL, kept INTEGER NOT NULL
);
CREATE INDEX rejects_of ON rejects (pipeline, run, id);
)sql"};

}  // namespace patchbay::host
