// The sinks `simdb.table` and its kin: tables of a SinkSystem.
#include <algorithm>

#include "simulation/plugins.h"
#include "simulation/remote.h"
#include "simulation/rows.h"
#include "simulation/sink_calls.h"

namespace patchbay::simulation {
namespace {

class TableWriter : public PreparingWriter {
 public:
  TableWriter(World& world, SinkSystem& system, std::string table, SchemaPtr stream,
              std::string token)
      : PreparingWriter(world, system, std::move(token)),
        table_(std::move(table)),
        stream_(std::move(stream)) {}

 private:
  void take(Call&, const Batch& batch) override {
    for (const auto& row : from_batch(batch)) rows_.push_back(row);
  }

  PreparedRows prepared(Call& call) override {
    if (system_.writing.unique && !system_.writing.judges_late) refuse_conflicts(call);
    return {{table_, rows_}};
  }

  int64_t accepted() const override { return static_cast<int64_t>(rows_.size()); }

  void refuse_conflicts(Call& call) {
    std::vector<SinkRow> good, bad;
    const auto conflicts = system_.conflicts(table_, rows_, call.epoch().txn);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const bool is_bad = std::find(conflicts.begin(), conflicts.end(), i) != conflicts.end();
      (is_bad ? bad : good).push_back(rows_[i]);
    }
    rows_ = good;
    if (bad.empty()) return;
    const SchemaPtr schema = row_schema(stream_->name, stream_->index_of("grown") >= 0);
    call.reject({stream_->name, "constraint", "key: stands in the table already", ""},
                to_batch(schema, bad));
  }

  const std::string table_;
  const SchemaPtr stream_;
  std::vector<SinkRow> rows_;
};

class TableSink : public SimulatedSink {
 public:
  TableSink(Context&, const Config& config) : SimulatedSink(config), tables_(config.at("tables")) {}

  Json::Value plan_schema(Call& call, const SchemaPtr& stream) override {
    const Serial::Call one(serial_, "plan_schema");
    ask(world_, call, system_.trouble);
    const std::string table = table_of(*stream);
    Json::Value steps(Json::arrayValue), step;
    step["table"] = table;
    if (!system_.has_table(table)) {
      step["action"] = "create_table";
      steps.append(step);
    } else if (grows(*stream) && !system_.has_column(table)) {
      step["action"] = "add_column";
      step["field"] = "grown";
      step["type"] = "int64";
      steps.append(step);
    }
    return steps;
  }

  void apply_schema(Call& call, const SchemaPtr& stream, const Json::Value& steps) override {
    const Serial::Call one(serial_, "apply_schema");
    const std::string table = table_of(*stream);
    for (const auto& step : steps) {
      if (step.isMember("apply") && !step["apply"].asBool()) continue;
      send(world_, call, system_.trouble, [&system = system_, table, grown = grows(*stream)] {
        system.make_table(table);
        if (grown) system.add_column(table);
      });
    }
  }

 private:
  std::unique_ptr<PreparingWriter> make_writer(const SchemaPtr& stream,
                                               std::string token) override {
    return std::make_unique<TableWriter>(world_, system_, table_of(*stream), stream,
                                         std::move(token));
  }

  static bool grows(const Schema& stream) { return stream.index_of("grown") >= 0; }
  std::string table_of(const Schema& stream) const {
    return tables_.isMember(stream.name) ? tables_[stream.name].asString() : stream.name;
  }

  const Json::Value tables_;
};

}  // namespace

const bay_component* table_sink() { return component<TableSink>("table"); }

}  // namespace patchbay::simulation
