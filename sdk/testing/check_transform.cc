// Transforms, driven with sample streams.
#include <memory>
#include <thread>

#include "guarded_batch.h"
#include "patchbay/object.h"
#include "sample_data.h"
#include "suite.h"

namespace patchbay::test {
namespace {

constexpr int64_t kMaxRows = 65536;

struct Bench {
  explicit Bench(const Subject& subject)
      : transform(host, *subject.plugin, subject.name(), complete_config(subject.manifest, folder)),
        at_end(subject.manifest["checkpoint"] == "at_end") {
    host.any_secret = "conformance";
  }
  // The sample with a barrier after each batch, unless the transform never sees one.
  void feed(const Sample& sample) {
    uint64_t epoch = 0;
    input.stream(0, sample.schema);
    for (auto& batch : sample.batches()) {
      input.batch(0, std::move(batch));
      if (!at_end) input.barrier(++epoch);
    }
    epochs = epoch;
  }

  FakeHost host;
  CheckFolder folder;
  TransformDriver transform;
  bool at_end;
  FakeInput input;
  uint64_t epochs = 0;
};

Sample find_sample(const Subject& subject);

// What the plugin's transform `maker` makes of its own sample, as objects: a decoder takes what its
// encoder writes.
Json::Value objects_made_by(const Subject& subject, const std::string& maker) {
  const Subject other = subject.sibling(maker);
  Bench bench(other);
  bench.feed(find_sample(other));
  Json::Value objects;
  for (const auto& batch : bench.transform.open({&bench.input}).batches()) {
    const ObjectView chunks(batch);
    for (int64_t row = 0; row < chunks.rows(); ++row) {
      Json::Value& object = objects[std::string(chunks[row].key)];
      object = object.asString() + std::string(chunks[row].data);
    }
  }
  return objects;
}

// The first sample that the transform takes whole.
Sample find_sample(const Subject& subject) {
  const Json::Value& given = subject.manifest["conformance"];
  const Json::Value objects = given.isMember("objects_from")
                                  ? objects_made_by(subject, given["objects_from"].asString())
                                  : given["objects"];
  std::string refusals;
  for (const auto& sample : samples(objects)) {
    Bench bench(subject);
    bench.feed(sample);
    const auto refusal = refusal_of([&] {
      if (bench.transform.open({&bench.input}).batches().empty())
        throw Error(Code::kData, "no rows came out");
    });
    if (!refusal && bench.host.rejects.empty()) return sample;
    refusals += "; " + sample.what + ": " + (refusal ? refusal->what() : "rejected");
  }
  throw Error(Code::kInternal,
              "takes no sample" + refusals +
                  "; give one that fits in conformance.objects of the manifest, or say "
                  "which of the plugin's transforms makes one in "
                  "conformance.objects_from");
}

void passes_barriers(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  bench.feed(sample);
  ReaderDriver reader = bench.transform.open({&bench.input});
  uint64_t seen = 0;
  for (const Event& event : reader.events()) {
    const auto* barrier = std::get_if<Barrier>(&event);
    if (!barrier) continue;
    require(barrier->epoch == seen + 1,
            "barrier " + std::to_string(barrier->epoch) + " after " + std::to_string(seen));
    ++seen;
  }
  require(seen == bench.epochs,
          std::to_string(seen) + " of " + std::to_string(bench.epochs) + " barriers came out");
}

std::vector<std::string> run(const Subject& subject, const Sample& sample, int64_t max_rows) {
  Bench bench(subject);
  bench.host.max_rows = max_rows;
  bench.feed(sample);
  return rows_as_json(bench.transform.open({&bench.input}).batches());
}

void outlives_its_reader(const Subject& subject, const Sample& sample) {
  std::vector<Batch> batches;
  {
    Bench bench(subject);
    bench.feed(sample);
    batches = bench.transform.open({&bench.input}).batches();
  }
  for (const auto& batch : batches) validate(*batch.schema(), batch.array());
  std::thread([kept = std::move(batches)]() mutable { kept.clear(); }).join();
}

void passes_failures_on(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  bench.feed(sample);
  bench.input.failure = Error(Code::kUnavailable, "the input went away");
  const auto refusal = refusal_of([&] { bench.transform.open({&bench.input}).events(); });
  require(refusal.has_value(), "ends as if the input had ended");
  require(refusal->code() == Code::kUnavailable && *refusal->what() != '\0' &&
              std::string_view(refusal->what()).find("the input went away") != std::string::npos,
          "makes something else of it: " + std::string(refusal->what()));
}

void stops_when_cancelled(const Subject& subject, const Sample& sample) {
  Bench bench(subject);
  bench.feed(sample);
  ReaderDriver reader = bench.transform.open({&bench.input});
  bench.host.cancel();
  require_prompt([&] { reader.events(); });
}

void feed_guarded(Bench& bench, const Sample& sample, const std::shared_ptr<ReleaseCount>& count) {
  bench.input.stream(0, sample.schema);
  for (auto& batch : sample.batches()) bench.input.batch(0, guard(std::move(batch), count));
}

std::vector<std::string> run_guarded(const Subject& subject, const Sample& sample,
                                     const std::shared_ptr<ReleaseCount>& count) {
  Bench bench(subject);
  feed_guarded(bench, sample, count);
  return rows_as_json(bench.transform.open({&bench.input}).batches());
}

void require_released(const ReleaseCount& count) {
  require(count.given == count.released, std::to_string(count.released) + " releases of " +
                                             std::to_string(count.given) + " arrays");
}

void releases_once(const Subject& subject, const Sample& sample) {
  const auto count = std::make_shared<ReleaseCount>();
  run_guarded(subject, sample, count);
  require_released(*count);
}

// Once before the first event, and once amid the stream.
void closes_half_way(const Subject& subject, const Sample& sample) {
  for (int events = 0; events <= 2; events += 2) {
    const auto count = std::make_shared<ReleaseCount>();
    {
      Bench bench(subject);
      feed_guarded(bench, sample, count);
      ReaderDriver reader = bench.transform.open({&bench.input});
      for (int i = 0; i < events; ++i) reader.next();
    }
    require_released(*count);
  }
}

}  // namespace

void check_transform(Suite& suite, const Subject& subject) {
  const std::string label = subject.label + ": ";
  std::optional<Sample> sample;
  suite.check(label + "takes a sample, with streams before batches and valid arrays",
              [&] { sample = find_sample(subject); });
  suite.check(label + "ends when its input ends at once", [&] {
    Bench bench(subject);
    bench.transform.open({&bench.input}).events();
  });
  if (!sample) return;
  if (subject.manifest["checkpoint"] != "at_end") {
    suite.check(label + "passes barriers on in order", [&] { passes_barriers(subject, *sample); });
  }
  suite.check(label + "gives the same rows again", [&] {
    require(run(subject, *sample, kMaxRows) == run(subject, *sample, kMaxRows),
            "the second run differs");
  });
  suite.check(label + "honours max_rows", [&] {
    require(run(subject, *sample, kSampleBatchRows) == run(subject, *sample, kMaxRows),
            "other rows come where max_rows is smaller");
  });
  suite.check(label + "gives arrays that outlive it",
              [&] { outlives_its_reader(subject, *sample); });
  suite.check(label + "passes its input's failure on",
              [&] { passes_failures_on(subject, *sample); });
  suite.check(label + "releases each array that it is given once",
              [&] { releases_once(subject, *sample); });
  suite.check(label + "uses no array that it has released", [&] {
    require(run_guarded(subject, *sample, std::make_shared<ReleaseCount>()) ==
                run(subject, *sample, kMaxRows),
            "other rows come out");
  });
  suite.check(label + "stops within a second when cancelled amid a stream",
              [&] { stops_when_cancelled(subject, *sample); });
  suite.check(label + "is closed half-way", [&] { closes_half_way(subject, *sample); });
}

}  // namespace patchbay::test
