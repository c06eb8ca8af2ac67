#include "state/legacy_state.h"

#include <json/value.h>

#include <map>
#include <memory>

#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kVersion = 1;

// Its keys were "node/split", and "set/stream" for what `state set` said.
struct Key {
  std::string node, split;
  explicit Key(const std::string& text)
      : node(text.substr(0, text.find('/'))), split(text.substr(text.find('/') + 1)) {}
};

class Import {
 public:
  Import(Database& from, const std::string& pipeline, Database& into)
      : from_(from), pipeline_(pipeline), into_(into) {}

  void run() {
    copy(
        "INSERT INTO runs (run, environment, started, finished, outcome, exit_code, report) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        "SELECT run, environment, started, finished, outcome, exit_code, report FROM runs WHERE "
        "pipeline = ? ORDER BY run");
    copy("INSERT INTO history (stream, split, state, run, at) VALUES (?, ?, ?, ?, ?)",
         "SELECT stream, split, state, run, at FROM history WHERE pipeline = ? ORDER BY id");
    copy("INSERT INTO known_fields (stream, path, type) VALUES (?, ?, ?)",
         "SELECT stream, path, type FROM known_fields WHERE pipeline = ?");
    copy(
        "INSERT INTO rejects (run, lane, epoch, stream, node, code, reason, position, record, "
        "kept) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "SELECT run, lane, -epoch, stream, node, code, reason, position, record, kept FROM rejects "
        "WHERE pipeline = ? ORDER BY id");
    import_states();
    import_epochs();
  }

 private:
  Statement of_pipeline(const char* sql) {
    Statement query = from_.compile(sql);
    query.bind(1, pipeline_);
    return query;
  }

  void copy(const char* insert, const char* select) {
    auto rows = of_pipeline(select);
    while (rows.step()) {
      auto put = into_.compile(insert);
      for (int i = 0; i < rows.columns(); ++i) {
        if (rows.is_null(i)) {
          put.bind_null(i + 1);
        } else if (rows.type(i) == SQLITE_INTEGER) {
          put.bind(i + 1, rows.integer(i));
        } else {
          put.bind(i + 1, rows.bytes(i));
        }
      }
      put.run();
    }
  }

  int64_t stream(const std::string& node, const std::string& name) {
    const auto [found, is_new] = streams_.try_emplace({node, name}, 0);
    if (is_new) {
      into_.compile("INSERT INTO streams (node, stream) VALUES (?, ?)")
          .bind(1, node)
          .bind(2, name)
          .run();
      found->second = into_.last_rowid();
    }
    return found->second;
  }

  void import_states() {
    auto rows = of_pipeline("SELECT split, stream, state, done FROM states WHERE pipeline = ?");
    while (rows.step()) {
      const Key key(rows.text(0));
      if (key.node == "set") {
        into_.compile("INSERT INTO given (stream, state) VALUES (?, ?)")
            .bind(1, rows.text(1))
            .bind(2, rows.text(2))
            .run();
        continue;
      }
      const int64_t of = stream(key.node, rows.text(1));
      if (rows.integer(3) != 0) {
        into_.compile("INSERT INTO done (stream, split, run) VALUES (?, ?, '')")
            .bind(1, of)
            .bind(2, key.split)
            .run();
      } else {
        into_.compile("INSERT INTO states (stream, split, state, run) VALUES (?, ?, ?, '')")
            .bind(1, of)
            .bind(2, key.split)
            .bind(3, rows.text(2))
            .run();
      }
    }
  }

  // Epochs were numbered per lane. Rejects that are not kept with their epoch yet find it by
  // number.
  void import_epochs() {
    auto rows = of_pipeline(
        "SELECT lane, run, phase, txns, record, epoch FROM epochs WHERE pipeline = ? AND phase IN "
        "('begun', 'recorded') ORDER BY lane, epoch");
    int64_t number = 0;
    while (rows.step()) {
      Json::Value record;
      if (!rows.is_null(4)) record = parse_json_text(rows.text(4));
      for (auto& state : record["states"]) {
        const Key key(state["split"].asString());
        state["node"] = key.node;
        state["split"] = key.split;
      }
      ++number;
      auto put = into_.compile(
          "INSERT INTO epochs (epoch, lane, run, phase, txns, record) VALUES (?, ?, ?, ?, ?, ?)");
      put.bind(1, number).bind(2, rows.text(0)).bind(3, rows.text(1)).bind(4, rows.text(2));
      put.bind(5, rows.text(3));
      if (rows.is_null(4)) {
        put.bind_null(6);
      } else {
        put.bind(6, compact_json(record));
      }
      put.run();
      into_.compile("UPDATE store SET next_epoch = ?").bind(1, number + 1).run();
      into_.compile("UPDATE rejects SET epoch = ? WHERE lane = ? AND epoch = ?")
          .bind(1, number)
          .bind(2, rows.text(0))
          .bind(3, -rows.integer(5))
          .run();
    }
  }

  Database& from_;
  const std::string pipeline_;
  Database& into_;
  std::map<std::pair<std::string, std::string>, int64_t> streams_;
};

// Nothing where there is no such file, or it was never used.
std::unique_ptr<Database> open_legacy(const fs::path& dir) {
  const fs::path file = dir / "state.db";
  std::error_code gone;
  if (!fs::exists(file, gone)) return nullptr;
  auto from = std::make_unique<Database>(
      file.string(), OpenMode::kExisting,
      DatabaseAdvice{". Restore it from a backup, or move it away and say where the sources start "
                     "with `patchbay state set`",
                     "; check its permissions"});
  int64_t version = 0;
  {
    auto query = from->compile("PRAGMA user_version");
    if (query.step()) version = query.integer(0);
  }
  if (version > kVersion) {
    throw Error(Code::kConfig, file.string() + ": was written by a newer patchbay (layout " +
                                   std::to_string(version) + ", this one knows " +
                                   std::to_string(kVersion) + "); upgrade patchbay");
  }
  return version == 0 ? nullptr : std::move(from);
}

}  // namespace

std::vector<std::string> legacy_pipelines(const fs::path& dir) {
  std::vector<std::string> names;
  const auto from = open_legacy(dir);
  if (!from) return names;
  auto query = from->compile("SELECT pipeline FROM runs UNION SELECT pipeline FROM states");
  while (query.step()) names.push_back(query.text(0));
  return names;
}

void import_legacy_state(const fs::path& dir, const std::string& pipeline, Database& into) {
  const auto from = open_legacy(dir);
  if (from) Import(*from, pipeline, into).run();
}

}  // namespace patchbay::host
