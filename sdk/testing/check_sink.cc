// Sinks that write nothing but files below the check's folder.
#include <algorithm>
#include <set>

#include "guarded_batch.h"
#include "sample_data.h"
#include "suite.h"

namespace patchbay::test {
namespace {

struct Bench {
  explicit Bench(const Subject& tested)
      : subject(tested), config(complete_config(tested.manifest, folder)) {
    host.any_secret = "conformance";
  }
  SinkDriver sink() { return SinkDriver(host, *subject.plugin, subject.name(), config); }

  // The files that can be seen and, where the manifest says how to read it back, every row.
  std::vector<std::string> visible() {
    std::vector<std::string> out = folder.visible();
    const Json::Value& back = subject.manifest["conformance"]["read_back"];
    if (!back.isObject()) return out;
    refusal_of([&] {  // a table that is not there yet is as good as empty
      SourceDriver source(host, *subject.plugin, back["component"].asString(),
                          folder.resolve(back["config"]));
      for (const Batch& batch : source.read_all()) {
        for (int64_t row = 0; row < batch.rows(); ++row) {
          out.push_back(batch.schema()->name + ": " +
                        row_to_json(*batch.schema(), batch.array(), row));
        }
      }
    });
    return out;
  }

  const Subject& subject;
  FakeHost host;
  CheckFolder folder;
  Json::Value config;
};

Sample find_sample(const Subject& subject) {
  std::string refusals;
  for (const auto& sample : samples(subject.manifest["conformance"]["objects"])) {
    Bench bench(subject);
    const auto refusal =
        refusal_of([&] { bench.sink().prepare_all(*sample.schema, "try", sample.batches()); });
    if (!refusal && bench.host.rejects.empty()) return sample;
    refusals += "; " + sample.what + ": " + (refusal ? refusal->what() : "rejected");
  }
  throw Error(Code::kInternal, "takes no sample" + refusals);
}

void accounts_for_rows(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  const int64_t delivered = count_rows(sample.batches());
  const Prepared prepared = bench.sink().prepare_all(*sample.schema, "t1", sample.batches());
  require(prepared.rows_accepted == delivered - bench.host.rows_rejected,
          "rows_accepted is " + std::to_string(prepared.rows_accepted) + " where " +
              std::to_string(delivered) + " rows were delivered and " +
              std::to_string(bench.host.rows_rejected) + " rejected");
}

// What one whole transaction shows: names may hold the transaction's.
std::vector<std::string> committed(const Subject& subject, const Sample& sample,
                                   const std::string& txn) {
  Bench bench(subject);
  bench.sink().write_all(*sample.schema, txn, sample.batches());
  return bench.visible();
}

void commits_twice(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  const Prepared prepared = sink.write_all(*sample.schema, "t1", sample.batches());
  const auto once = bench.visible();
  sink.commit("t1", 1, {prepared.token});
  bench.sink().commit("t1", 1, {prepared.token});
  require(bench.visible() == once, "the second commit shows something else");
}

void commits_elsewhere(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  const Prepared prepared = bench.sink().prepare_all(*sample.schema, "t1", sample.batches());
  bench.sink().commit("t1", 1, {prepared.token});
  require(bench.visible() == committed(subject, sample, "t1"),
          "a commit by another object shows something else");
}

void aborts_unknown(const Subject& subject) {
  Bench bench(subject);
  bench.sink().abort({"never-seen", "never-seen-either"});
  bench.sink().abort({});
}

void aborts_prepared(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver first = bench.sink();
  first.apply_schema(*sample.schema, first.plan_schema(*sample.schema));
  const auto before = bench.visible();
  first.prepare_all(*sample.schema, "t1", sample.batches());
  require(bench.visible() == before, "what is prepared can be seen");
  bench.sink().abort({"t1"});
  bench.sink().abort({"t1"});
  require(bench.visible() == before, "something stays visible after the abort");
  bench.sink().write_all(*sample.schema, "t2", sample.batches());
  require(bench.visible() == committed(subject, sample, "t2"),
          "the next transaction shows something else");
}

void drops_unprepared(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  sink.apply_schema(*sample.schema, sink.plan_schema(*sample.schema));
  const auto before = bench.visible();
  {
    WriterDriver writer = sink.open(*sample.schema, "t1");
    for (auto& batch : sample.batches()) writer.write(std::move(batch));
  }
  sink.abort({"t1"});
  require(bench.visible() == before, "something stays visible");
}

void prepares_nothing(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  const Prepared prepared = bench.sink().write_all(*sample.schema, "t1", {});
  require(prepared.rows_accepted == 0, "rows_accepted is not 0");
}

void applies_twice(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  const Json::Value steps = sink.plan_schema(*sample.schema);
  sink.apply_schema(*sample.schema, steps);
  sink.apply_schema(*sample.schema, steps);
  bench.sink().apply_schema(*sample.schema, steps);
}

// Whatever one of the streams shows when it is alone.
void require_shown(const Subject& subject, const Sample& sample,
                   const std::vector<std::string>& shown) {
  for (const auto& line : committed(subject, sample, "t1")) {
    require(std::find(shown.begin(), shown.end(), line) != shown.end(),
            "stream " + sample.schema->name + " does not show what it shows when it is alone");
  }
}

void commits_two_writers(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  Sample other = sample;
  Schema renamed = *sample.schema;
  renamed.name += "_2";
  other.schema = std::make_shared<const Schema>(std::move(renamed));
  sink.apply_schema(*sample.schema, sink.plan_schema(*sample.schema));
  sink.apply_schema(*other.schema, sink.plan_schema(*other.schema));
  const auto before = bench.visible();
  std::vector<std::string> tokens;
  const auto refusal = refusal_of([&] {
    for (const SchemaPtr& schema : {sample.schema, other.schema}) {
      WriterDriver writer = sink.open(*schema, "t1");
      for (auto& batch : sample.batches()) writer.write(std::move(batch));
      tokens.push_back(writer.prepare().token);
    }
  });
  // Two streams may not fit one target; what then counts is that the user is told.
  if (refusal && refusal->code() == Code::kConfig) return;
  if (refusal) throw Error(*refusal);
  require(bench.visible() == before, "what is prepared can be seen");
  bench.sink().commit("t1", 1, tokens);
  const auto once = bench.visible();
  bench.sink().commit("t1", 1, tokens);
  require(bench.visible() == once, "the second commit shows something else");
  require_shown(subject, sample, once);
  require_shown(subject, other, once);
}

void keeps_what_is_committed(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  bench.sink().write_all(*sample.schema, "t1", sample.batches());
  const auto once = bench.visible();
  refusal_of([&] { bench.sink().abort({"t1"}); });
  require(bench.visible() == once, "what was committed is gone");
}

void commits_nothing_aborted(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  sink.apply_schema(*sample.schema, sink.plan_schema(*sample.schema));
  const auto before = bench.visible();
  const Prepared prepared = sink.prepare_all(*sample.schema, "t1", sample.batches());
  bench.sink().abort({"t1"});
  refusal_of([&] { bench.sink().commit("t1", 1, {prepared.token}); });
  require(bench.visible() == before, "rows of it can be seen");
}

void releases_once(const Subject& subject, const Sample& sample) {
  const auto count = std::make_shared<ReleaseCount>();
  {
    Bench bench(subject);
    SinkDriver sink = bench.sink();
    sink.apply_schema(*sample.schema, sink.plan_schema(*sample.schema));
    WriterDriver writer = sink.open(*sample.schema, "t1");
    auto batches = sample.batches();
    writer.write(guard(std::move(batches.front()), count));
    bench.host.cancel();  // a call that fails owns its array as well
    for (size_t i = 1; i < batches.size(); ++i)
      refusal_of([&] { writer.write(guard(std::move(batches[i]), count)); });
  }
  require(count->given == count->released, std::to_string(count->released) + " releases of " +
                                               std::to_string(count->given) + " arrays");
}

void uses_nothing_released(const Subject& subject, const Sample& sample) {
  const auto count = std::make_shared<ReleaseCount>();
  Bench bench(subject);
  std::vector<Batch> batches;
  for (auto& batch : sample.batches()) batches.push_back(guard(std::move(batch), count));
  bench.sink().write_all(*sample.schema, "t1", std::move(batches));
  require(bench.visible() == committed(subject, sample, "t1"), "other rows come out");
}

// A failure at each durable step of a commit, which is then repeated from the record.
void commits_after_failures(const Subject& subject, const Sample& sample) {
  Bench rehearsal(subject);
  const Prepared rehearsed = rehearsal.sink().prepare_all(*sample.schema, "t1", sample.batches());
  rehearsal.host.steps.clear();
  rehearsal.sink().commit("t1", 1, {rehearsed.token});
  const auto expected = rehearsal.visible();
  for (const auto& step : std::set(rehearsal.host.steps.begin(), rehearsal.host.steps.end())) {
    Bench bench(subject);
    const Prepared prepared = bench.sink().prepare_all(*sample.schema, "t1", sample.batches());
    bench.host.throw_at_step = step;
    try {
      bench.sink().commit("t1", 1, {prepared.token});
      require(false, "the failure at " + step + " is lost");
    } catch (const Error& error) {
      if (error.what() != "crash at " + step) throw;
    }
    bench.host.throw_at_step.clear();
    bench.sink().commit("t1", 1, {prepared.token});
    require(bench.visible() == expected, "after a failure at " + step + " it shows something else");
  }
}

void stops_when_cancelled(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  SinkDriver sink = bench.sink();
  sink.apply_schema(*sample.schema, sink.plan_schema(*sample.schema));
  WriterDriver writer = sink.open(*sample.schema, "t1");
  bench.host.cancel();
  require_prompt([&] {
    for (auto& batch : sample.batches()) writer.write(std::move(batch));
    writer.prepare();
  });
}

}  // namespace

void check_sink(Suite& suite, const Subject& subject) {
  using Check = void (*)(const Subject&, const Sample&);
  const std::pair<const char*, Check> checks[] = {
      {"applies a schema twice", applies_twice},
      {"accepts what was delivered and not rejected", accounts_for_rows},
      {"commits twice with the effect of once", commits_twice},
      {"commits what another object prepared", commits_elsewhere},
      {"commits after a failure at any durable step", commits_after_failures},
      {"commits two writers of one transaction together", commits_two_writers},
      {"keeps what is committed when it is aborted", keeps_what_is_committed},
      {"shows nothing when a commit comes after the abort", commits_nothing_aborted},
      {"releases each array that it is given once", releases_once},
      {"uses no array that it has released", uses_nothing_released},
      {"shows nothing of what was aborted", aborts_prepared},
      {"drops what was not prepared", drops_unprepared},
      {"prepares and commits without rows", prepares_nothing},
      {"stops within a second when cancelled amid a write", stops_when_cancelled},
  };
  const std::string label = subject.label + ": ";
  suite.check(label + "aborts transactions that never were", [&] { aborts_unknown(subject); });
  std::optional<Sample> sample;
  suite.check(label + "takes a sample", [&] { sample = find_sample(subject); });
  if (!sample) return;
  for (const auto& [name, check] : checks) {
    suite.check(label + name, [&, work = check] { work(subject, *sample); });
  }
}

}  // namespace patchbay::test
