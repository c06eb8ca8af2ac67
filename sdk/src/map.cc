#include "patchbay/map.h"

namespace patchbay {
namespace {

class MapReader final : public Reader {
 public:
  MapReader(Map& map, Input input) : map_(map), input_(std::move(input)) {}

  Event next(Call& call) override {
    for (;;) {
      Event event = input_.next(call);
      if (auto* begin = std::get_if<StreamBegin>(&event)) return open_stream(call, *begin);
      auto* batch = std::get_if<BatchEvent>(&event);
      if (!batch) return event;
      Batch out = mappers_.at(batch->stream)->map(call, std::move(batch->batch));
      if (out.rows() > 0) return BatchEvent{batch->stream, std::move(out)};
    }
  }

 private:
  Event open_stream(Call& call, const StreamBegin& begin) {
    if (begin.stream >= mappers_.size()) mappers_.resize(begin.stream + 1);
    mappers_[begin.stream] = map_.open_stream(call, begin.schema);
    return StreamBegin{begin.stream, mappers_[begin.stream]->schema()};
  }

  Map& map_;
  Input input_;
  std::vector<std::unique_ptr<Mapper>> mappers_;  // by stream
};

}  // namespace

std::vector<Schema> Map::bind(Call& call, const std::vector<SchemaPtr>& in) {
  std::vector<Schema> out;
  for (const auto& schema : in) out.push_back(*open_stream(call, schema)->schema());
  return out;
}

std::unique_ptr<Reader> Map::open(Call&, std::vector<Input> inputs) {
  if (inputs.size() != 1) throw Error(Code::kConfig, "from: needs exactly one input");
  return std::make_unique<MapReader>(*this, std::move(inputs[0]));
}

}  // namespace patchbay
