#include "patchbay/objects/object_source.h"

#include <algorithm>

#include "object_reader.h"

namespace patchbay {
namespace {

Json::Value detail_of(const FoundObject& object) {
  Json::Value out;
  out["key"] = object.key;
  out["version"] = object.version;
  out["size"] = Json::Int64(object.size);
  out["modified"] = Json::Int64(object.modified);
  if (!object.checksum.empty()) out["checksum"] = object.checksum;
  return out;
}

FoundObject object_of(const Split& split) {
  const Json::Value& detail = split.detail;
  if (!detail["key"].isString() || !detail["version"].isString() || !detail["size"].isInt64()) {
    throw Error(Code::kData, "split " + split.id +
                                 ": lacks its key, version or size, as splits of older versions "
                                 "do; plan again");
  }
  return {detail["key"].asString(), detail["version"].asString(), detail["size"].asInt64(),
          detail["modified"].asInt64(), detail["checksum"].asString()};
}

}  // namespace

ObjectSource::Select ObjectSource::select_of(const std::string& name) {
  return name == "new" ? Select::kNew : name == "newest" ? Select::kNewest : Select::kAll;
}

ObjectSource::ObjectSource(Context& context, const Config& config,
                           std::unique_ptr<ObjectStore> store, Words words)
    : context_(context),
      store_(std::move(store)),
      path_(config.get<std::string>("path")),
      select_(select_of(config.get<std::string>("select"))),
      by_time_(config.get<std::string>("order") == "modified"),
      noun_(std::move(words.noun)),
      stream_(config.get_or<std::string>("stream", std::move(words.stream))),
      schema_(std::make_shared<const Schema>(object_schema(stream_))),
      on_commit_(ObjectAction::parse(config, "on_commit")),
      on_refusal_(ObjectAction::parse(config, "on_refusal")) {}

bool ObjectSource::before(const FoundObject& a, const FoundObject& b) const {
  if (by_time_ && a.modified != b.modified) return a.modified < b.modified;
  return a.key < b.key;
}

std::string ObjectSource::id_of(const FoundObject& object) const {
  std::string id = store_->id(object.key);
  if (select_ != Select::kAll) id.append(1, '#').append(object.version);
  return id;
}

bool ObjectSource::is_done(Call& call, const FoundObject& object) const {
  if (select_ == Select::kAll) return false;
  if (call.is_done(id_of(object))) return true;
  const std::string earlier = store_->earlier_id(object);
  return !earlier.empty() && call.is_done(earlier);
}

void ObjectSource::keep(Call& call, const FoundObject& object, bool all, Found& found) const {
  found.any = true;
  if (select_ == Select::kNewest) {
    if (found.objects.empty() || before(found.objects[0], object)) found.objects = {object};
  } else if (all || !is_done(call, object)) {
    found.objects.push_back(object);
  } else if (on_commit_) {
    found.done.push_back(object);
  }
}

// False once the object that has the path for its name is found: it alone is meant.
bool ObjectSource::take(Call& call, const FoundObject& object, bool all, Found& found) const {
  const bool exact = object.key == path_.text();
  if (exact) found = {{}, {}, true, true};
  if (exact || path_.finds(object.key)) keep(call, object, all, found);
  return !exact;
}

void ObjectSource::list(Call& call, bool all, Found& found) {
  const auto take_one = [&](const FoundObject& object) { return take(call, object, all, found); };
  // A name with braces is below none of the alternatives that it stands for.
  if (path_.text().find('{') != std::string::npos) {
    store_->list(call, {path_.text(), true}, [&](const FoundObject& object) {
      return object.key != path_.text() || take_one(object);
    });
  }
  for (const auto& below : path_.prefixes()) {
    if (found.exact) return;
    store_->list(call, below, take_one);
  }
}

// `all`: also what is done.
ObjectSource::Found ObjectSource::find(Call& call, bool all) {
  Found found;
  if (path_.is_pattern()) {
    list(call, all, found);
  } else if (const auto object = store_->find(call, path_.text())) {
    keep(call, *object, all, found);
  } else {
    throw Error(Code::kNotFound, "path: " + store_->uri(path_.text()) + " is not there");
  }
  if (!found.any && select_ == Select::kAll) fail_empty();
  if (select_ == Select::kNewest && !all && found.any && is_done(call, found.objects[0]))
    std::swap(found.objects, found.done);
  std::sort(found.objects.begin(), found.objects.end(),
            [this](const auto& a, const auto& b) { return before(a, b); });
  return found;
}

void ObjectSource::fail_empty() const {
  throw Error(Code::kNotFound, "path: " + path_.text() + ": no " + noun_ +
                                   " matches; correct it, or set select: new if there may be none");
}

void ObjectSource::check(Call& call) {
  store_->check(call);
  for (const auto& object : find(call, true).objects) {
    call.throw_if_cancelled();
    store_->open(call, object);
  }
}

std::vector<Schema> ObjectSource::discover(Call&) { return {*schema_}; }

Split ObjectSource::split_of(const FoundObject& object) const {
  Split split;
  split.id = id_of(object);
  split.stream = stream_;
  split.once = split.resumes = select_ != Select::kAll;
  split.detail = detail_of(object);
  split.of = store_->id(object.key);
  split.complete = select_ == Select::kAll;
  return split;
}

std::vector<Split> ObjectSource::plan(Call& call, const std::vector<std::string>& streams,
                                      uint32_t) {
  if (!streams.empty() && std::find(streams.begin(), streams.end(), stream_) == streams.end())
    return {};
  const Found found = find(call, false);
  if (on_commit_) on_commit_->catch_up(call, *store_, found.done, stream_, context_);
  std::vector<Split> splits;
  for (const auto& object : found.objects) {
    for (const auto* action : {&on_commit_, &on_refusal_}) {
      if (*action) (*action)->require_outside(path_, object, stream_);
    }
    splits.push_back(split_of(object));
  }
  if (splits.empty()) splits.push_back({"", stream_, false, {}});  // for the report
  return splits;
}

std::unique_ptr<Reader> ObjectSource::open(Call& call, const Split& split, const Json::Value&) {
  FoundObject object = object_of(split);
  for (const auto* action : {&on_commit_, &on_refusal_}) {
    if (*action) (*action)->claim(call, *store_, object, stream_);
  }
  auto download = store_->open(call, object);
  const ObjectReader::Parts parts{*store_, schema_, on_commit_ ? &*on_commit_ : nullptr,
                                  on_refusal_ ? &*on_refusal_ : nullptr};
  return std::make_unique<ObjectReader>(parts, std::move(object), std::move(download));
}

}  // namespace patchbay
