// The components whose chain is timed, once in a plugin under the host and once in a program that
// calls them directly. They use nothing of the host, so that both do the same work.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/map.h"
#include "patchbay/plugin.h"

namespace patchbay::chain {

inline SchemaPtr row_schema() {
  return std::make_shared<const Schema>(Schema{"rows",
                                               {{"id", scalar(TypeId::kInt64), false},
                                                {"amount", scalar(TypeId::kFloat64), true},
                                                {"name", scalar(TypeId::kUtf8), true}},
                                               {"id"}});
}

class RowReader final : public Reader {
 public:
  RowReader(int64_t batches, int64_t batch_rows) : batches_(batches), batch_rows_(batch_rows) {}
  const SchemaPtr& schema() const { return schema_; }

  Event next(Call&) override {
    if (!std::exchange(begun_, true)) return StreamBegin{0, schema_};
    if (given_ == batches_) return End{};
    return BatchEvent{0, make_batch(given_++ * batch_rows_)};
  }

 private:
  Batch make_batch(int64_t first) const {
    BatchBuilder batch(schema_);
    auto& id = batch.column<Int64Builder>(0);
    auto& amount = batch.column<Float64Builder>(1);
    auto& name = batch.column<Utf8Builder>(2);
    for (ColumnBuilder* column :
         {static_cast<ColumnBuilder*>(&id), static_cast<ColumnBuilder*>(&amount),
          static_cast<ColumnBuilder*>(&name)})
      column->reserve(batch_rows_);
    std::string text = "customer 00000000";
    for (int64_t row = first; row < first + batch_rows_; ++row) {
      id.append(row);
      amount.append(static_cast<double>(row % 1000) / 4);
      int64_t rest = row;
      for (size_t at = text.size(); at > 9; rest /= 10)
        text[--at] = static_cast<char>('0' + rest % 10);
      name.append(text);
    }
    return batch.finish();
  }

  SchemaPtr schema_ = row_schema();
  int64_t batches_, batch_rows_, given_ = 0;
  bool begun_ = false;
};

class Rows final : public Source {
 public:
  Rows(Context&, const Config& config)
      : batches_(config.get<int64_t>("batches")), batch_rows_(config.get<int64_t>("batch_rows")) {}
  void check(Call&) override {}
  std::vector<Schema> discover(Call&) override { return {*row_schema()}; }
  std::vector<Split> plan(Call&, const std::vector<std::string>&, uint32_t) override {
    return {{"rows", "rows", false, Json::objectValue}};
  }
  std::unique_ptr<Reader> open(Call&, const Split&, const Json::Value&) override {
    return std::make_unique<RowReader>(batches_, batch_rows_);
  }

 private:
  int64_t batches_, batch_rows_;
};

class GrossMapper final : public Mapper {
 public:
  explicit GrossMapper(SchemaPtr schema) : schema_(std::move(schema)) {}
  SchemaPtr schema() const override { return schema_; }

  Batch map(Call&, Batch batch) override {
    const auto amount = BatchView(batch).column<Float64View>(1);
    const int64_t rows = batch.rows();
    Float64Builder gross;
    gross.reserve(rows);
    for (int64_t row = 0; row < rows; ++row) gross.append(amount[row] * 1.19);
    auto columns = split_columns(batch.take());
    ArrowArray computed = gross.finish();
    columns[1] = Array(&computed);
    return Batch(schema_, join_columns(std::move(columns), rows));
  }

 private:
  SchemaPtr schema_;
};

class Gross final : public Map {
 public:
  Gross(Context&, const Config&) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<GrossMapper>(in);
  }
};

class PassMapper final : public Mapper {
 public:
  explicit PassMapper(SchemaPtr schema) : schema_(std::move(schema)) {}
  SchemaPtr schema() const override { return schema_; }
  Batch map(Call&, Batch batch) override { return batch; }

 private:
  SchemaPtr schema_;
};

class Pass final : public Map {
 public:
  Pass(Context&, const Config&) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<PassMapper>(in);
  }
};

struct Totals {
  int64_t rows = 0;
  double sum = 0;
};

class TotalWriter final : public Writer {
 public:
  void write(Call&, Batch batch) override {
    const BatchView view(batch);
    const auto id = view.column<Int64View>(0);
    const auto amount = view.column<Float64View>(1);
    const auto name = view.column<Utf8View>(2);
    for (int64_t row = 0; row < view.rows(); ++row) {
      totals_.sum += static_cast<double>(id[row]) + amount[row];
      totals_.sum += static_cast<double>(name[row].size());
    }
    totals_.rows += view.rows();
  }
  // The sum is in the token, so that no compiler leaves it out.
  Prepared prepare(Call&) override { return {std::to_string(totals_.sum), totals_.rows}; }
  const Totals& totals() const { return totals_; }

 private:
  Totals totals_;
};

class Total final : public Sink {
 public:
  Total(Context&, const Config&) {}
  void check(Call&) override {}
  std::unique_ptr<Writer> open(Call&, const SchemaPtr&, const std::string&) override {
    return std::make_unique<TotalWriter>();
  }
  void commit(Call&, const std::string&, uint64_t, std::span<const std::string>) override {}
  void abort(Call&, std::span<const std::string>) override {}
};

}  // namespace patchbay::chain
