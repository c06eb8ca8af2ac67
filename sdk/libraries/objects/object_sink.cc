#include "patchbay/objects/object_sink.h"

#include <algorithm>

#include "object_mirror.h"
#include "object_writer.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

std::vector<Json::Value> parse_tokens(std::span<const std::string> tokens) {
  std::vector<Json::Value> out;
  for (const auto& text : tokens) {
    out.push_back(parse_json(text));
    if (out.back()["objects"].isArray()) continue;
    throw Error(Code::kData,
                "token: lacks its objects, as tokens of older versions do; run the version that "
                "prepared it, or give it up: `patchbay state discard`");
  }
  return out;
}

}  // namespace

bool keeps(const ObjectStore& store, const Target& target, bool is_there) {
  if (!is_there || target.if_exists == IfExists::kReplace) return false;
  if (target.if_exists == IfExists::kFail) throw already_there(store.uri(target.name.key));
  return true;
}

Error already_there(const std::string& uri) {
  return {Code::kRemote,
          uri + ": is already there, and if_exists is fail; move it away and run again"};
}

void ClaimedNames::take(Call& call, const std::string& uri, const std::string& txn) {
  {
    const std::lock_guard lock(mutex_);
    const auto [_, is_new] = taken_.try_emplace(std::hash<std::string>()(uri),  //
                                                std::hash<std::string>()(txn));
    if (!is_new)
      throw Error(Code::kConfig, "path: two objects become " + uri + "; put {key} into path");
  }
  call.claim(uri);
}

void ClaimedNames::forget(std::span<const std::string> txns) {
  const std::lock_guard lock(mutex_);
  for (const auto& txn : txns) {
    std::erase_if(taken_, [hash = std::hash<std::string>()(txn)](const auto& taken) {
      return taken.second == hash;
    });
  }
}

ObjectSink::ObjectSink(Context& context, const Config& config, std::unique_ptr<ObjectStore> store,
                       std::string name)
    : context_(context),
      store_(std::move(store)),
      name_(std::move(name)),
      path_("path", config.get<std::string>("path")),
      if_exists_(parse_if_exists(config.get<std::string>("if_exists"))),
      mirror_(ObjectMirror::parse(config, path_)) {}

ObjectSink::~ObjectSink() = default;

void ObjectSink::check(Call& call) { store_->check(call); }

Json::Value ObjectSink::plan_schema(Call&, const SchemaPtr& stream) {
  if (is_object_schema(*stream)) return Json::arrayValue;
  throw Error(Code::kConfig, "stream " + stream->name +
                                 ": is a table, not a stream of files; put an encoder such as csv "
                                 "or json before " +
                                 name_);
}

std::unique_ptr<Writer> ObjectSink::open(Call&, const SchemaPtr& stream, const std::string& txn) {
  writers_ = txn == txn_ ? writers_ + 1 : 1;
  txn_ = txn;
  const ObjectWriter::Parts parts{context_,   *store_, name_,        path_,
                                  if_exists_, claims_, mirror_.get()};
  return std::make_unique<ObjectWriter>(parts, stream->name, txn, writers_);
}

// Objects are revealed one by one. Where one is gone before the first of them was, nothing is.
Outcome ObjectSink::outcome_of(Call& call, const std::vector<Json::Value>& tokens) {
  size_t prepared = 0, committed = 0, gone = 0;
  for (const auto& token : tokens) {
    for (const auto& object : token["objects"]) {
      const Outcome outcome = store_->outcome(call, object);
      prepared += outcome == Outcome::kPrepared;
      committed += outcome == Outcome::kCommitted;
      gone += outcome == Outcome::kGone;
    }
  }
  if (gone > 0) return committed > 0 ? Outcome::kUnknown : Outcome::kGone;
  return prepared > 0 || committed == 0 ? Outcome::kPrepared : Outcome::kCommitted;
}

Outcome ObjectSink::outcome(Call& call, const std::string& txn,
                            std::span<const std::string> tokens) {
  if (tokens.empty()) return Outcome::kUnknown;
  const Outcome outcome = outcome_of(call, parse_tokens(tokens));
  if (outcome == Outcome::kGone) claims_.forget({&txn, 1});
  return outcome;
}

void ObjectSink::commit(Call& call, const std::string& txn, uint64_t,
                        std::span<const std::string> tokens) {
  try {
    reveal(call, txn, parse_tokens(tokens));
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) claims_.forget({&txn, 1});  // its rows are read again
    throw;
  }
}

void ObjectSink::reveal(Call& call, const std::string& txn,
                        const std::vector<Json::Value>& tokens) {
  size_t objects = 0;
  for (const auto& token : tokens) objects += token["objects"].size();
  if (objects > 1 && outcome_of(call, tokens) == Outcome::kGone) {
    throw Error(Code::kNotFound,
                "transaction " + txn + ": what it prepared is gone, and nothing of it is visible");
  }
  SkippedObjects skipped;
  for (const auto& token : tokens) {
    const IfExists if_exists = parse_if_exists(token["if_exists"].asString());
    for (const auto& object : token["objects"]) {
      call.throw_if_cancelled();
      if (store_->reveal(call, object, if_exists) == Revealed::kSkipped)
        skipped.add(object["uri"].asString());
    }
  }
  skipped.report(context_);
  for (const auto& token : tokens) ObjectMirror::commit(call, *store_, token["removed"]);
}

void ObjectSink::abort(Call& call, std::span<const std::string> txns) {
  claims_.forget(txns);
  store_->drop(call, txns);
}

}  // namespace patchbay
