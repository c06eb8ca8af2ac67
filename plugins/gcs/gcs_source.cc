#include "gcs_source.h"

#include <algorithm>

#include "patchbay/object.h"
#include "patchbay/objects/crc32c.h"

namespace patchbay {
namespace {

FoundObject found(const GcsObject& object) {
  FoundObject out{object.name, std::to_string(object.generation), object.size, object.modified,
                  Json::objectValue};
  out.detail["name"] = object.name;
  out.detail["generation"] = Json::Int64(object.generation);
  out.detail["size"] = Json::Int64(object.size);
  out.detail["modified"] = Json::Int64(object.modified);
  out.detail["crc32c"] = object.crc32c;
  return out;
}

GcsObject object_of(const Json::Value& detail) {
  GcsObject out;
  out.name = detail["name"].asString();
  out.generation = detail["generation"].asInt64();
  out.size = detail["size"].asInt64();
  out.modified = detail["modified"].asInt64();
  out.crc32c = detail["crc32c"].asString();
  return out;
}

// One generation of one object, piece by piece. It is one whole: no epoch ends inside it.
class GcsReader final : public Reader {
 public:
  GcsReader(GcsLease client, SchemaPtr schema, GcsObject object, int64_t piece)
      : client_(std::move(client)),
        schema_(std::move(schema)),
        object_(std::move(object)),
        version_(std::to_string(object_.generation)),
        most_(piece) {}

  Event next(Call& call) override {
    if (!announced_) {
      announced_ = true;
      return StreamBegin{0, schema_};
    }
    if (done_) return End{};
    if (at_ == piece_.size() && offset_ < object_.size) fetch(call);
    const std::string_view data = std::string_view(piece_).substr(at_, kObjectChunk);
    const int64_t offset = offset_;
    at_ += data.size();
    offset_ += static_cast<int64_t>(data.size());
    done_ = offset_ == object_.size;
    if (done_) check_whole();
    ObjectBuilder batch(schema_);
    batch.append({object_.name, object_.size, object_.modified, version_, offset, data, done_});
    return BatchEvent{0, batch.finish()};
  }

  Checkpoint checkpoint(Call&, Json::Value&) override {
    return done_ ? Checkpoint::kUnchanged : Checkpoint::kNotNow;
  }

 private:
  void fetch(Call& call) {
    piece_ = {};  // not beside the next one in memory
    piece_ = client_->read(call, object_, offset_, std::min(most_, object_.size - offset_));
    at_ = 0;
    crc_.add(piece_);
  }

  // Before the last chunk is given on, so that a damaged object is never whole.
  void check_whole() const {
    if (object_.crc32c.empty() || crc_.base64() == object_.crc32c) return;
    throw Error(Code::kUnavailable, client_->uri(object_.name) +
                                        ": was damaged on its way: its crc32c is " + crc_.base64() +
                                        " and must be " + object_.crc32c);
  }

  const GcsLease client_;
  const SchemaPtr schema_;
  const GcsObject object_;
  const std::string version_;
  const int64_t most_;
  std::string piece_;
  size_t at_ = 0;       // in piece_
  int64_t offset_ = 0;  // in the object
  Crc32c crc_;
  bool announced_ = false, done_ = false;
};

}  // namespace

GcsSource::GcsSource(Context& context, const Config& config)
    : context_(context),
      access_(config, "read_only"),
      selection_(config, access_.bucket()),
      piece_(config.get<int64_t>("chunk_size")) {}

std::vector<FoundObject> GcsSource::find(Call& call) {
  const auto client = access_.lease(call);
  const std::string& path = selection_.path();
  std::vector<FoundObject> out;
  if (!is_pattern(path)) {
    const auto object = client->find(call, path);
    if (!object) throw Error(Code::kNotFound, "path: " + client->uri(path) + " is not there");
    out.push_back(found(*object));
    return out;
  }
  for (const auto& [prefix, flat] : list_prefixes(path)) {
    client->list(call, prefix, flat, 0, [&](const GcsObject& object) {
      if (finds(path, object.name)) out.push_back(found(object));
    });
  }
  return out;
}

void GcsSource::check(Call& call) {
  if (!is_pattern(selection_.path())) {
    find(call);
    return;
  }
  const auto prefix = list_prefixes(selection_.path()).front().prefix;
  access_.lease(call)->list(call, prefix, false, 1, [](const GcsObject&) {});
}

std::vector<Schema> GcsSource::discover(Call&) { return {*selection_.schema()}; }

std::vector<Split> GcsSource::plan(Call& call, const std::vector<std::string>& streams, uint32_t) {
  if (!selection_.is_wanted(streams)) return {};
  auto found = find(call);
  selection_.warn_of_nothing(found, context_);
  return selection_.splits(std::move(found));
}

std::unique_ptr<Reader> GcsSource::open(Call& call, const Split& split, const Json::Value&) {
  return std::make_unique<GcsReader>(access_.lease(call), selection_.schema(),
                                     object_of(split.detail), piece_);
}

}  // namespace patchbay
