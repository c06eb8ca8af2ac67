// A source, a transform and a sink in memory, each of which a test can make misbehave.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/map.h"
#include "patchbay/plugin.h"
#include "sample_lies.h"

namespace patchbay::sample {

inline SchemaPtr number_schema() {
  return std::make_shared<const Schema>(
      Schema{"numbers", {{"n", scalar(TypeId::kInt64), false}}, {"n"}});
}

inline Batch numbers(const SchemaPtr& schema, const std::vector<int64_t>& values) {
  BatchBuilder batch(schema);
  for (const int64_t value : values) batch.column<Int64Builder>(0).append(value);
  return batch.finish();
}

// The first column's values; a liar reads them when they are no longer its own, or keeps the batch.
inline std::vector<int64_t> take_values(Batch batch) {
  const int64_t rows = batch.rows();
  const auto* first = static_cast<const int64_t*>(batch.array().children[0]->buffers[1]);
  std::vector<int64_t> values(first, first + rows);
  if (lies.reads_after_release) {
    const Batch gone = std::exchange(batch, Batch());
    values.clear();
  }
  if (lies.reads_after_release) values.assign(first, first + rows);
  if (lies.keeps_arrays) kept.push_back(std::move(batch));
  return values;
}

// What components of all kinds have in common.
template <class Kind>
class Sample : public Kind {
 public:
  explicit Sample(const Config& config) {
    if (lies.on_create) lies.on_create(config);
    ++living;
  }
  ~Sample() override { --living; }
  void check(Call& call) override {
    if (misbehave) misbehave(call);
    if (!lies.hates_interrupts) return;
    for (int ms = 0; ms < 1000 && !interrupted_; ++ms) poll(nullptr, 0, 1);
    if (interrupted_) throw std::runtime_error("interrupted");
  }
  void interrupt() override { interrupted_ = true; }

 private:
  std::atomic<bool> interrupted_ = false;
};

class CountReader final : public Reader {
 public:
  CountReader(int64_t rows, int64_t last) : rows_(rows), last_(last) {
    if (lies.leaks_readers) leaked.emplace_back(1 << 16, 'x');
  }
  Event next(Call& call) override {
    if (misbehave) misbehave(call);
    if (!begun_) {
      begun_ = true;
      return StreamBegin{0, schema_};
    }
    const int64_t most = lies.ignores_max_rows ? rows_ : call.max_rows();
    std::vector<int64_t> values;
    while (last_ < rows_ && std::ssize(values) < most) values.push_back(++last_);
    if (values.empty()) return End{};
    return BatchEvent{0, numbers(schema_, values)};
  }
  Checkpoint checkpoint(Call&, Json::Value& state) override {
    const bool lags = lies.state_lags && last_ > 1, leads = lies.state_leads && last_ == 0;
    state["last"] = Json::Int64(last_ - lags + leads);
    return Checkpoint::kState;
  }
  void committed(Call&, uint64_t) override { last_ += lies.skips_at_commit; }

 private:
  SchemaPtr schema_ = number_schema();
  int64_t rows_, last_;
  bool begun_ = false;
};

class Count final : public Sample<Source> {
 public:
  Count(Context& context, const Config& config)
      : Sample(config), context_(context), rows_(config.get<int64_t>("rows")) {}
  void check(Call& call) override {
    context_.log(BAY_LOG_DEBUG, "checked", R"({"by":"test"})");
    context_.metric_add("checks", 1);
    Sample::check(call);
  }
  std::vector<Schema> discover(Call&) override {
    return std::vector<Schema>(lies.discovers_twice ? 2 : 1, *number_schema());
  }
  std::vector<Split> plan(Call&, const std::vector<std::string>& streams, uint32_t) override {
    if (!streams.empty() && streams[0] != "numbers") return {};
    Split split{"all", "numbers", false, {}};
    if (lies.plans_anew) split.id += std::to_string(++plans);
    split.detail["from"] = Json::Int64(INT64_MAX);
    return {split};
  }
  std::unique_ptr<Reader> open(Call&, const Split& split, const Json::Value& state) override {
    if (split.detail["from"].asInt64() != INT64_MAX) throw Error(Code::kInternal, "detail: lost");
    return std::make_unique<CountReader>(rows_, lies.forgets_state ? 0 : state["last"].asInt64());
  }

 private:
  Context& context_;
  int64_t rows_;
};

class DoubleMapper final : public Mapper {
 public:
  SchemaPtr schema() const override { return schema_; }
  Batch map(Call& call, Batch batch) override {
    if (misbehave) misbehave(call);
    std::vector<int64_t> doubled;
    const auto values = take_values(std::move(batch));
    for (const int64_t value : values) {
      if (!lies.swallows_input) doubled.push_back(2 * value + (lies.drifts ? ++plans : 0));
      if (lies.multiplies) doubled.push_back(2 * value);
    }
    return numbers(schema_, doubled);
  }

 private:
  SchemaPtr schema_ = number_schema();
};

class DoubleMap final : public Map {
 public:
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    if (in->fields.at(0).type != scalar(TypeId::kInt64))
      throw Error(Code::kData, in->name + ": the first column must be int64");
    return std::make_unique<DoubleMapper>();
  }
};

// Hands on what the reader behind it says, or less than that.
class DoubleReader final : public Reader {
 public:
  explicit DoubleReader(std::unique_ptr<Reader> inner) : inner_(std::move(inner)) {}
  ~DoubleReader() override {
    for (Batch& batch : lent_) {
      batch.array().children[0]->length = -1;
      kept.push_back(std::move(batch));  // so that whoever looks sees that, not freed memory
    }
  }
  Event next(Call& call) override {
    if (lies.confused_when_cancelled && call.cancelled()) throw std::runtime_error("confused");
    try {
      Event event = inner_->next(call);
      while (lies.swallows_barriers && std::holds_alternative<Barrier>(event))
        event = inner_->next(call);
      if (auto* batch = std::get_if<BatchEvent>(&event); batch && lies.lends_arrays)
        batch->batch = lend(std::move(batch->batch));
      if (lies.needs_input && !begun_ && std::holds_alternative<End>(event))
        throw Error(Code::kInternal, "no stream came");
      begun_ = true;
      return event;
    } catch (const Error&) {
      if (lies.hides_failures) return End{};
      throw;
    }
  }

 private:
  // What comes out stays the reader's.
  Batch lend(Batch batch) {
    ArrowArray borrowed = batch.array();
    borrowed.release = [](ArrowArray* array) { array->release = nullptr; };
    Batch out(batch.schema(), Array(&borrowed));
    lent_.push_back(std::move(batch));
    return out;
  }

  std::unique_ptr<Reader> inner_;
  std::vector<Batch> lent_;
  bool begun_ = false;
};

class Double final : public Sample<Transform> {
 public:
  Double(Context&, const Config& config) : Sample(config) {}
  std::vector<Schema> bind(Call& call, const std::vector<SchemaPtr>& in) override {
    return map_.bind(call, in);
  }
  std::unique_ptr<Reader> open(Call& call, std::vector<Input> inputs) override {
    return std::make_unique<DoubleReader>(map_.open(call, std::move(inputs)));
  }

 private:
  DoubleMap map_;
};

// Rows by transaction; the two steps of a commit are durable steps.
struct Store {
  std::map<std::string, int64_t> prepared;
  std::map<std::string, int64_t> visible;
  std::map<std::string, int> applied;  // by folder
};
inline Store store;

class CountingWriter final : public Writer {
 public:
  CountingWriter(const std::string& txn, const std::string& stream, std::string folder)
      : name_(txn + "." + stream), folder_(std::move(folder)) {}
  void write(Call& call, Batch batch) override {
    if (misbehave) misbehave(call);
    if (lies.refuses_rows) throw Error(Code::kData, "rows: are none that fit");
    rows_ += batch.rows();
    for (const int64_t value : take_values(std::move(batch))) sum_ += value;
    if (lies.writes_at_once) std::ofstream(folder_ + "/rows.txt") << rows_;
  }
  Prepared prepare(Call&) override {
    if (lies.needs_rows && rows_ == 0) throw Error(Code::kInternal, "nothing to prepare");
    const std::string token = name_ + "." + std::to_string(sum_);
    store.prepared[token] = rows_;
    return {token, rows_ + lies.rows_accepted};
  }

 private:
  std::string name_, folder_;
  int64_t rows_ = 0, sum_ = 0;
};

class Keep final : public Sample<Sink> {
 public:
  Keep(Context&, const Config& config)
      : Sample(config), folder_(config.get_or<std::string>("folder", "")) {}
  void apply_schema(Call&, const SchemaPtr&, const Json::Value&) override {
    if (lies.applies_once && store.applied[folder_]++ > 0)
      throw Error(Code::kInternal, "the table is there already");
  }
  std::unique_ptr<Writer> open(Call&, const SchemaPtr& stream, const std::string& txn) override {
    opened_ = txn;
    return std::make_unique<CountingWriter>(txn, stream->name, folder_);
  }
  void commit(Call& call, const std::string& txn, uint64_t,
              std::span<const std::string> tokens) override {
    if (lies.commits_own_only && opened_ != txn) return;
    const auto prepared = store.prepared;
    if (lies.commits_once) store.prepared.clear();
    call.durable_step("keep.before");
    for (const auto& token : tokens) {
      const auto found = prepared.find(token);
      if (found == prepared.end()) continue;
      store.visible[token] = found->second;
      if (!folder_.empty()) show(token);
      if (lies.commits_first_only) break;
    }
    call.durable_step("keep.after");
  }
  void abort(Call&, std::span<const std::string> txns) override {
    for (const auto& txn : txns) {
      if (lies.knows_every_name && opened_ != txn) throw Error(Code::kInternal, txn + ": unknown");
      const auto is_of_it = [&](const auto& one) { return one.first.starts_with(txn + "."); };
      if (!lies.forgets_abort) std::erase_if(store.prepared, is_of_it);
      if (!lies.deletes_committed) continue;
      for (const auto& [token, rows] : store.visible) std::filesystem::remove(file(token));
    }
  }

 private:
  std::string file(const std::string& token) const { return folder_ + "/" + token + ".txt"; }
  void show(const std::string& token) const {
    const bool again = lies.appends && std::filesystem::exists(file(token));
    std::ofstream(file(again ? token + ".again" : token)) << store.visible[token];
  }

  std::string folder_, opened_;
};

}  // namespace patchbay::sample
