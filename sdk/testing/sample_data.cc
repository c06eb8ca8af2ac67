#include "sample_data.h"

#include "patchbay/object.h"

namespace patchbay::test {
namespace {

constexpr int64_t kBatches = 3;

Batch people(const SchemaPtr& schema, int64_t first) {
  BatchBuilder batch(schema);
  for (int64_t id = first; id < first + kSampleBatchRows; ++id) {
    batch.column<Int64Builder>(0).append(id);
    batch.column<Utf8Builder>(1).append("name " + std::to_string(id));
    if (id % 2 == 0) {
      batch.column<Float64Builder>(2).append_null();
    } else {
      batch.column<Float64Builder>(2).append(static_cast<double>(id) / 2);
    }
  }
  return batch.finish();
}

// Two chunks per object, so that nobody counts on whole files.
Batch chunks(const SchemaPtr& schema, const std::string& key, const std::string& text) {
  ObjectBuilder builder(schema);
  const size_t half = text.size() / 2;
  const auto append = [&](size_t begin, size_t end, bool last) {
    ObjectChunk chunk;
    chunk.key = key;
    chunk.size = static_cast<int64_t>(text.size());
    chunk.offset = static_cast<int64_t>(begin);
    chunk.data = std::string_view(text).substr(begin, end - begin);
    chunk.last = last;
    builder.append(chunk);
  };
  append(0, half, false);
  append(half, text.size(), true);
  return builder.finish();
}

Sample object_sample(const std::pair<std::string, std::string>& object) {
  return {"the object " + object.first,
          std::make_shared<const Schema>(object_schema("objects")),
          {object}};
}

}  // namespace

std::vector<Batch> Sample::batches() const {
  std::vector<Batch> out;
  for (const auto& [key, text] : objects) out.push_back(chunks(schema, key, text));
  for (int64_t i = 0; objects.empty() && i < kBatches; ++i)
    out.push_back(people(schema, 1 + i * kSampleBatchRows));
  return out;
}

std::vector<Sample> samples(const Json::Value& objects) {
  const Schema rows{"people",
                    {{"id", scalar(TypeId::kInt64), false},
                     {"name", scalar(TypeId::kUtf8), true},
                     {"amount", scalar(TypeId::kFloat64), true}},
                    {"id"}};
  std::vector<Sample> out;
  if (objects.empty()) {
    out.push_back({"rows", std::make_shared<const Schema>(rows), {}});
    out.push_back(object_sample({"a.csv", "id,name\n1,ada\n2,bob\n3,cyd\n"}));
    out.push_back(object_sample(
        {"a.json", "{\"id\":1,\"name\":\"ada\"}\n{\"id\":2,\"name\":\"bob\"}\n{\"id\":3}\n"}));
  }
  for (const auto& key : objects.getMemberNames())
    out.push_back(object_sample({key, objects[key].asString()}));
  return out;
}

}  // namespace patchbay::test
