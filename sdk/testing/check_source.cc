// Sources that need nothing but files below the check's folder.
#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "patchbay/json_value.h"
#include "suite.h"

namespace patchbay::test {
namespace {

void make_files(const CheckFolder& folder, const Json::Value& files) {
  for (const auto& name : files.getMemberNames()) {
    const auto path = folder.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << files[name].asString();
  }
}

// One folder for all sources of a check: splits and states may name it.
struct Bench {
  explicit Bench(const Subject& tested)
      : subject(tested), config(complete_config(tested.manifest, folder)) {
    host.any_secret = "conformance";
    make_files(folder, tested.manifest["conformance"]["files"]);
  }
  SourceDriver source() { return SourceDriver(host, *subject.plugin, subject.name(), config); }

  const Subject& subject;
  FakeHost host;
  CheckFolder folder;
  Json::Value config;
};

std::vector<std::string> ids(const std::vector<Json::Value>& splits) {
  std::vector<std::string> out;
  for (const auto& split : splits) out.push_back(split["id"].asString());
  return out;
}

void discovers(const Subject& subject) {
  Bench bench(subject);
  std::set<std::string> names;
  for (const auto& schema : bench.source().discover()) {
    require(!schema.name.empty(), "a stream without a name");
    require(names.insert(schema.name).second, "two streams called " + schema.name);
  }
}

void plans(const Subject& subject) {
  Bench bench(subject);
  const auto splits = bench.source().plan();
  require(!splits.empty(), "no splits, so nothing can be checked");
  for (const auto& split : bench.source().plan_all()) {
    require(split["stream"].isString() && !split["stream"].asString().empty(),
            "a split without its stream");
  }
  std::set<std::string> seen;
  for (const auto& split : splits) {
    require(split["id"].isString() && !split["id"].asString().empty(), "a split without an id");
    require(seen.insert(split["id"].asString()).second, "two splits with one id");
  }
  require(ids(splits) == ids(bench.source().plan()), "another object plans other ids");
  require(bench.source().plan({"no such stream"}).empty(), "plans streams that are not selected");
}

void reads(const Subject& subject) {
  Bench bench(subject);
  SourceDriver source = bench.source();
  int64_t rows = 0;
  for (const auto& split : source.plan()) {
    for (const Event& event : source.open(split).events()) {
      require(!std::holds_alternative<Barrier>(event), "a source makes no barriers");
      if (const auto* batch = std::get_if<BatchEvent>(&event)) rows += batch->batch.rows();
    }
  }
  require(rows > 0, "no rows, so nothing can be checked; give conformance.files in the manifest");
}

std::vector<std::string> rows_with(Bench& bench, int64_t max_rows) {
  bench.host.max_rows = max_rows;
  return rows_as_json(bench.source().read_all());
}

void honours_max_rows(const Subject& subject) {
  Bench bench(subject);
  const auto whole = rows_with(bench, 65536);
  require(rows_with(bench, 1) == whole, "other rows come where max_rows is 1");
}

void resumes_at_the_end(const Subject& subject) {
  Bench bench(subject);
  SourceDriver source = bench.source();
  for (const auto& split : source.plan()) {
    ReaderDriver reader = source.open(split);
    reader.events();
    Json::Value state;
    const Checkpoint checkpoint = reader.checkpoint(state);
    require(checkpoint != Checkpoint::kNotNow, "no checkpoint after the last event");
    reader.committed(1);
    if (checkpoint == Checkpoint::kUnchanged) continue;
    require(count_rows(bench.source().open(split, state).batches()) == 0,
            "rows come again after the state of split " + split["id"].asString());
  }
}

// The rows up to state number `n`, or all where the end comes before it.
std::vector<Batch> read_to_state(ReaderDriver& reader, Json::Value& state, int n) {
  std::vector<Batch> batches;
  for (;;) {
    Event event = reader.next();
    if (std::holds_alternative<End>(event)) return batches;
    auto* batch = std::get_if<BatchEvent>(&event);
    if (!batch) continue;
    batches.push_back(std::move(batch->batch));
    if (reader.checkpoint(state) == Checkpoint::kState && --n == 0) return batches;
  }
}

constexpr int kMostStates = 20;  // of a split that are tried

void resumes_everywhere(const Subject& subject) {
  Bench bench(subject);
  bench.host.max_rows = 1;
  for (const auto& split : bench.source().plan()) {
    const auto whole = rows_as_json(bench.source().open(split).batches());
    const int states = static_cast<int>(std::min<size_t>(whole.size(), kMostStates));
    for (int n = 1; n <= states; ++n) {
      SourceDriver first = bench.source();
      ReaderDriver reader = first.open(split);
      Json::Value state;
      auto rows = rows_as_json(read_to_state(reader, state, n));
      if (state.isNull()) break;
      for (auto& row : rows_as_json(bench.source().open(split, state).batches()))
        rows.push_back(std::move(row));
      require(rows == whole, "rows are lost or doubled in split " + split["id"].asString() +
                                 " after state " + std::to_string(n));
    }
  }
}

void resumes_at_the_start(const Subject& subject) {
  Bench bench(subject);
  for (const auto& split : bench.source().plan()) {
    Json::Value state;
    SourceDriver source = bench.source();
    if (source.open(split).checkpoint(state) != Checkpoint::kState) continue;
    require(rows_as_json(bench.source().open(split, state).batches()) ==
                rows_as_json(bench.source().open(split).batches()),
            "rows are lost in split " + split["id"].asString());
  }
}

void reads_on_after_commits(const Subject& subject) {
  Bench bench(subject);
  bench.host.max_rows = 1;
  for (const auto& split : bench.source().plan()) {
    const auto whole = rows_as_json(bench.source().open(split).batches());
    SourceDriver source = bench.source();
    ReaderDriver reader = source.open(split);
    std::vector<std::string> rows;
    uint64_t epoch = 0;
    for (Event event = reader.next(); !std::holds_alternative<End>(event); event = reader.next()) {
      Json::Value state;
      if (auto* batch = std::get_if<BatchEvent>(&event)) {
        rows.push_back(row_to_json(*batch->batch.schema(), batch->batch.array(), 0));
        if (reader.checkpoint(state) == Checkpoint::kState) reader.committed(++epoch);
      }
    }
    require(rows == whole, "other rows come in split " + split["id"].asString());
  }
}

// A longer event, as a later host has it, with a field behind that is the host's.
void writes_within_the_event(const Subject& subject) {
  Bench bench(subject);
  SourceDriver source = bench.source();
  const auto splits = source.plan();
  require(!splits.empty(), "no splits, so nothing can be checked");
  const bay_source_vt& table = *source.table().source;
  const std::string split = write_json(splits[0]);
  FakeCall call(bench.host);
  bay_reader* reader = nullptr;
  call.check(table.open(call.raw(), source.raw(),
                        {reinterpret_cast<const uint8_t*>(split.data()), split.size()}, {},
                        &reader));
  struct {
    bay_event event{};
    uint64_t later = 0x5ca1ab1e;
  } longer;
  longer.event.struct_size = sizeof longer;
  const bay_status status = source.table().reader->next(call.raw(), reader, &longer.event);
  if (longer.event.schema.release) longer.event.schema.release(&longer.event.schema);
  if (longer.event.array.release) longer.event.array.release(&longer.event.array);
  source.table().reader->close(reader);
  call.check(status);
  require(longer.later == 0x5ca1ab1e, "next wrote behind what it knows");
  require(longer.event.struct_size == sizeof longer, "next changed struct_size");
}

constexpr size_t kMostGrowth = 256 << 10;
constexpr int kLives = 20;

void keeps_no_memory(const Subject& subject) {
  Bench bench(subject);
  SourceDriver source = bench.source();
  const auto live = [&] {
    for (const auto& split : source.plan()) source.open(split).batches();
  };
  for (int i = 0; i < kLives; ++i) live();
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kLives; ++i) live();
  const size_t after = mallinfo2().uordblks;
  require(after < before + kMostGrowth, std::to_string(after - before) + " bytes are left of " +
                                            std::to_string(kLives) + " reads");
}

void stops_when_cancelled(const Subject& subject) {
  Bench bench(subject);
  SourceDriver source = bench.source();
  const auto splits = source.plan();
  require(!splits.empty(), "no splits, so nothing can be checked");
  ReaderDriver reader = source.open(splits[0]);
  bench.host.cancel();
  require_prompt([&] { reader.next(); });
}

}  // namespace

void check_source(Suite& suite, const Subject& subject) {
  const std::string label = subject.label + ": ";
  suite.check(label + "discovers named streams", [&] { discovers(subject); });
  suite.check(label + "plans splits with stable ids", [&] { plans(subject); });
  suite.check(label + "reads streams before batches and valid arrays", [&] { reads(subject); });
  suite.check(label + "honours max_rows", [&] { honours_max_rows(subject); });
  suite.check(label + "has nothing more after its last state",
              [&] { resumes_at_the_end(subject); });
  suite.check(label + "resumes from each of its states without loss",
              [&] { resumes_everywhere(subject); });
  suite.check(label + "reads all after the state of a reader that read nothing",
              [&] { resumes_at_the_start(subject); });
  suite.check(label + "is told of commits without losing its place",
              [&] { reads_on_after_commits(subject); });
  suite.check(label + "writes no further than the event that it was given",
              [&] { writes_within_the_event(subject); });
  suite.check(label + "keeps no memory of what was closed", [&] { keeps_no_memory(subject); });
  suite.check(label + "stops within a second when cancelled amid a split",
              [&] { stops_when_cancelled(subject); });
}

}  // namespace patchbay::test
