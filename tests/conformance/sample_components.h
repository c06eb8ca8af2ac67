// A source, a transform and a sink in memory, each of which a test can make misbehave.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/map.h"
#include "patchbay/plugin.h"

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

inline std::function<void(Call&)> misbehave;  // called by check, next, map and write
struct Lies {
  int64_t rows_accepted = 0;  // added to what prepare says
  bool forgets_state = false;
  bool swallows_input = false;  // the map gives empty batches
  bool writes_at_once = false;  // rows are visible before commit, as a file
  bool state_lags = false;      // from its second row on, a state is one row behind
  bool state_leads = false;     // before the first row, the state is behind it
  bool skips_at_commit = false;
  bool crashes_at_zero = false;  // create throws what is no Error
  bool leaks = false;            // create keeps memory
  bool keeps_arrays = false;     // write never releases
  bool forgets_abort = false;
  bool deletes_committed = false;  // abort takes back what was committed
};
inline Lies lies;
inline std::vector<std::string> leaked;
inline std::vector<Batch> kept;

class CountReader final : public Reader {
 public:
  CountReader(int64_t rows, int64_t last) : rows_(rows), last_(last) {}
  Event next(Call& call) override {
    if (misbehave) misbehave(call);
    if (!begun_) {
      begun_ = true;
      return StreamBegin{0, schema_};
    }
    std::vector<int64_t> values;
    while (last_ < rows_ && std::ssize(values) < call.max_rows()) values.push_back(++last_);
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

class Count final : public Source {
 public:
  Count(Context& context, const Config& config)
      : context_(context), rows_(config.get<int64_t>("rows")) {
    if (lies.crashes_at_zero && rows_ == 0) throw std::runtime_error("zero");
    if (lies.leaks) leaked.emplace_back(1024, 'x');
  }
  void check(Call& call) override {
    context_.log(BAY_LOG_DEBUG, "checked", R"({"by":"test"})");
    context_.metric_add("checks", 1);
    if (misbehave) misbehave(call);
  }
  std::vector<Schema> discover(Call&) override { return {*number_schema()}; }
  std::vector<Split> plan(Call&, const std::vector<std::string>& streams, uint32_t) override {
    if (!streams.empty() && streams[0] != "numbers") return {};
    Split split{"all", "numbers", false, {}};
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
    const auto column = BatchView(batch).column<Int64View>(0);
    std::vector<int64_t> doubled;
    for (int64_t i = 0; i < column.length() && !lies.swallows_input; ++i)
      doubled.push_back(2 * column[i]);
    return numbers(schema_, doubled);
  }

 private:
  SchemaPtr schema_ = number_schema();
};

class Double final : public Map {
 public:
  Double(Context&, const Config&) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    if (in->fields.at(0).type != scalar(TypeId::kInt64))
      throw Error(Code::kData, in->name + ": the first column must be int64");
    return std::make_unique<DoubleMapper>();
  }
};

// Rows by transaction; the two steps of a commit are durable steps.
struct Store {
  std::map<std::string, int64_t> prepared;
  std::map<std::string, int64_t> visible;
};
inline Store store;

class CountingWriter final : public Writer {
 public:
  CountingWriter(std::string txn, std::string folder)
      : txn_(std::move(txn)), folder_(std::move(folder)) {}
  void write(Call& call, Batch batch) override {
    if (misbehave) misbehave(call);
    rows_ += batch.rows();
    if (lies.keeps_arrays) kept.push_back(std::move(batch));
    if (lies.writes_at_once) std::ofstream(folder_ + "/rows.txt") << rows_;
  }
  Prepared prepare(Call&) override {
    store.prepared[txn_] = rows_;
    return {txn_, rows_ + lies.rows_accepted};
  }

 private:
  std::string txn_, folder_;
  int64_t rows_ = 0;
};

class Keep final : public Sink {
 public:
  Keep(Context&, const Config& config) : folder_(config.get_or<std::string>("folder", "")) {}
  void check(Call&) override {}
  std::unique_ptr<Writer> open(Call&, const SchemaPtr&, const std::string& txn) override {
    return std::make_unique<CountingWriter>(txn, folder_);
  }
  void commit(Call& call, const std::string&, uint64_t,
              std::span<const std::string> tokens) override {
    call.durable_step("keep.before");
    for (const auto& token : tokens) {
      const auto found = store.prepared.find(token);
      if (found == store.prepared.end()) continue;
      store.visible[token] = found->second;
      if (!folder_.empty()) std::ofstream(folder_ + "/" + token + ".txt") << found->second;
    }
    call.durable_step("keep.after");
  }
  void abort(Call&, std::span<const std::string> txns) override {
    for (const auto& txn : txns) {
      if (!lies.forgets_abort) store.prepared.erase(txn);
      if (lies.deletes_committed) std::filesystem::remove(folder_ + "/" + txn + ".txt");
    }
  }

 private:
  std::string folder_;
};

}  // namespace patchbay::sample
