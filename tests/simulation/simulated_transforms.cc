// The transforms `simtf.*`: row by row, a join, and rows from and to objects.
#include <algorithm>
#include <map>

#include "patchbay/inputs.h"
#include "patchbay/map.h"
#include "patchbay/object.h"
#include "simulation/calls.h"
#include "simulation/fates.h"
#include "simulation/plugins.h"
#include "simulation/rows.h"

namespace patchbay::simulation {
namespace {

// Leaves out some rows and refuses some, by their value; see fates.h.
class Sift : public Map {
 public:
  Sift(Context&, const Config& config)
      : drops_(config.get_or<bool>("drops", false)),
        refuses_(config.get_or<bool>("refuses", false)) {}

  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<Rows>(*this, in);
  }

 private:
  class Rows : public Mapper {
   public:
    Rows(const Sift& sift, SchemaPtr schema) : sift_(sift), schema_(std::move(schema)) {}
    SchemaPtr schema() const override { return schema_; }
    Batch map(Call& call, Batch batch) override {
      const Serial::Call one(serial_, "map");
      std::vector<SinkRow> good, bad;
      for (const auto& row : from_batch(batch)) {
        if (sift_.drops_ && is_dropped(row.value)) continue;
        (sift_.refuses_ && is_refused(row.value) ? bad : good).push_back(row);
      }
      if (!bad.empty())
        call.reject({schema_->name, "value", "value: is refused", ""}, to_batch(schema_, bad));
      return to_batch(schema_, good);
    }

   private:
    const Sift& sift_;
    const SchemaPtr schema_;
    Serial serial_;
  };
  const bool drops_, refuses_;
};

// Pairs of rows of its two inputs with one key, once both have ended.
class Join : public Transform {
 public:
  Join(Context& context, const Config&) : context_(context) {}

  std::unique_ptr<Reader> open(Call&, std::vector<Input> inputs) override {
    return std::make_unique<Rows>(context_, std::move(inputs));
  }

 private:
  class Rows : public Reader {
   public:
    Rows(Context& context, std::vector<Input> inputs)
        : ready_(context), inputs_(std::move(inputs)), rows_(inputs_.size()) {
      for (uint32_t i = 0; i < inputs_.size(); ++i) open_.push_back(i);
    }
    Event next(Call& call) override {
      const Serial::Call one(serial_, "next");
      while (!open_.empty()) take(call);
      if (!schema_) {
        schema_ = row_schema("joined", false);
        return StreamBegin{0, schema_};
      }
      if (given_) return End{};
      given_ = true;
      return BatchEvent{0, to_batch(schema_, joined())};
    }

   private:
    void take(Call& call) {
      const size_t place = ready_.wait_ready(call, open_);
      const uint32_t input = open_[place];
      Event event = inputs_[input].next(call);
      if (std::holds_alternative<End>(event))
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
      if (auto* batch = std::get_if<BatchEvent>(&event))
        for (const auto& row : from_batch(batch->batch)) rows_[input].push_back(row);
    }
    std::vector<SinkRow> joined() const {
      std::vector<SinkRow> out;
      for (const auto& a : rows_[0])
        for (const auto& b : rows_[1])
          if (a.key == b.key) out.push_back({a.id, b.id, a.key, a.value, {}});
      return out;
    }

    Inputs ready_;
    std::vector<Input> inputs_;
    std::vector<std::vector<SinkRow>> rows_;
    std::vector<uint32_t> open_;
    SchemaPtr schema_;
    bool given_ = false;
    Serial serial_;
  };
  Context& context_;
};

// An object's chunks become its rows.
class Decode : public Map {
 public:
  Decode(Context&, const Config&) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<Rows>(in->name);
  }

 private:
  class Rows : public Mapper {
   public:
    explicit Rows(const std::string& stream) : schema_(row_schema(stream, false)) {}
    SchemaPtr schema() const override { return schema_; }
    Batch map(Call&, Batch batch) override {
      std::vector<SinkRow> rows;
      const ObjectView view(batch);
      for (int64_t i = 0; i < view.rows(); ++i)
        for (const auto& row : from_text(view[i].data)) rows.push_back(row);
      return to_batch(schema_, rows);
    }

   private:
    const SchemaPtr schema_;
  };
};

// All rows of a stream become one object, with the name that the options give.
class Encode : public Transform {
 public:
  Encode(Context&, const Config& config) : key_(config.get<std::string>("key")) {}
  std::unique_ptr<Reader> open(Call&, std::vector<Input> inputs) override {
    return std::make_unique<Objects>(key_, std::move(inputs[0]));
  }

 private:
  class Objects : public Reader {
   public:
    Objects(std::string key, Input input) : key_(std::move(key)), input_(std::move(input)) {}
    Event next(Call& call) override {
      const Serial::Call one(serial_, "next");
      while (!all_in_) {
        Event event = input_.next(call);
        if (const auto* begin = std::get_if<StreamBegin>(&event)) {
          if (begin->stream < streams_.size()) continue;  // it has grown
          streams_.push_back(
              {std::make_shared<const Schema>(object_schema(begin->schema->name)), ""});
          return StreamBegin{begin->stream, streams_.back().schema};
        }
        if (const auto* batch = std::get_if<BatchEvent>(&event)) {
          streams_[batch->stream].text += to_text(from_batch(batch->batch));
          continue;
        }
        if (!std::holds_alternative<End>(event)) return event;
        all_in_ = true;
      }
      if (given_ == streams_.size()) return End{};
      return object(static_cast<uint32_t>(given_++));
    }

   private:
    struct Stream {
      SchemaPtr schema;
      std::string text;
    };
    Event object(uint32_t stream) {
      const Stream& from = streams_[stream];
      std::string key = key_;
      if (const size_t at = key.find("{stream}"); at != std::string::npos)
        key.replace(at, 8, from.schema->name);
      ObjectBuilder object(from.schema);
      object.append({key, static_cast<int64_t>(from.text.size()), {}, {}, 0, from.text, true});
      return BatchEvent{stream, object.finish()};
    }
    const std::string key_;
    Input input_;
    std::vector<Stream> streams_;
    size_t given_ = 0;
    bool all_in_ = false;
    Serial serial_;
  };
  const std::string key_;
};

}  // namespace

std::vector<const bay_component*> transform_components() {
  return {component<Sift>("sift"), component<Join>("join"), component<Decode>("decode"),
          component<Encode>("encode")};
}

}  // namespace patchbay::simulation
