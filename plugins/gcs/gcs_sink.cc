#include "gcs_sink.h"

#include "gcs_writer.h"
#include "patchbay/json_value.h"

namespace patchbay {
namespace {

const std::vector<std::string> kNeeded = {"storage.objects.create", "storage.objects.delete",
                                          "storage.objects.get", "storage.objects.list"};

GcsSinkConfig parse_config(const Config& config) {
  return {ObjectPath(config.get<std::string>("path")), config.get<std::string>("if_exists"),
          config.get<std::string>("content_type"), config.get<std::string>("temporary"),
          config.get<int64_t>("chunk_size")};
}

// The target is somebody else's. Temporary objects are deleted only after theirs are revealed:
// where this one is gone, theirs came after ours. Otherwise nothing of theirs is written over.
bool was_replaced(Call& call, GcsClient& client, const Json::Value& object) {
  const std::string temporary = object["temporary"].asString();
  if (!client.find(call, temporary)) return true;
  throw Error(Code::kRemote, client.uri(object["target"].asString()) +
                                 ": was written by somebody else since this run prepared its own, "
                                 "which waits as " +
                                 client.uri(temporary) + "; delete or rename theirs and run again");
}

}  // namespace

GcsSink::GcsSink(Context& context, const Config& config)
    : context_(context), access_(config, "read_write"), config_(parse_config(config)) {}

void GcsSink::check(Call& call) {
  const GcsLease client = access_.lease(call);
  client->list(call, config_.temporary, false, 1, [](const GcsObject&) {});
  std::string missing;
  for (const auto& permission : client->missing_permissions(call, kNeeded))
    missing += (missing.empty() ? "" : ", ") + permission;
  if (!missing.empty())
    throw Error(Code::kAuth, "bucket " + access_.bucket() + ": these credentials lack " + missing);
}

Json::Value GcsSink::plan_schema(Call&, const SchemaPtr& stream) {
  require_objects(*stream, "gcs");
  return Json::arrayValue;
}

std::unique_ptr<Writer> GcsSink::open(Call& call, const SchemaPtr& stream, const std::string& txn) {
  writers_ = txn == txn_ ? writers_ + 1 : 1;
  txn_ = txn;
  return std::make_unique<GcsWriter>(access_.lease(call), config_, stream->name, txn, writers_);
}

void GcsSink::commit(Call& call, const std::string&, uint64_t,
                     std::span<const std::string> tokens) {
  const GcsLease client = access_.lease(call);
  for (const auto& text : tokens) {
    const Json::Value token = parse_json(text);
    for (const auto& object : token["objects"]) {
      if (reveal(call, *client, object, token)) call.durable_step("gcs.revealed");
      clear(call, *client, object);
      call.durable_step("gcs.cleared");
    }
  }
}

// False where nothing had to be done: by if_exists, or because an earlier call did it. The target's
// generation is looked at and given to the copy, so that neither a repeat nor a late answer writes
// over what somebody else has put there meanwhile.
bool GcsSink::reveal(Call& call, GcsClient& client, const Json::Value& object,
                     const Json::Value& token) {
  const std::string name = object["target"].asString(), mark = object["mark"].asString();
  const std::string temporary = object["temporary"].asString();
  const Json::Value metadata = gcs_metadata(token["content_type"].asString(), mark);
  for (uint32_t attempt = 1;; ++attempt) {
    const auto there = client.find(call, name);
    if (there && there->mark == mark) return false;
    const int64_t generation = there ? there->generation : 0;
    const bool changed = there && generation != object["replaces"].asInt64();
    if (changed && (token["if_exists"].asString() == "skip" || was_replaced(call, client, object)))
      return false;
    call.durable_step("gcs.reveal");
    switch (client.rewrite(call, temporary, object["generation"].asInt64(), name, generation,
                           metadata)) {
      case GcsClient::Rewritten::kDone:
        return true;
      case GcsClient::Rewritten::kSourceGone:
        throw Error(Code::kNotFound, client.uri(name) + ": the prepared object " +
                                         client.uri(temporary) + " is gone");
      case GcsClient::Rewritten::kTargetChanged:
        break;
    }
    const auto wait = call.backoff(attempt);
    if (!wait) throw Error(Code::kUnavailable, client.uri(name) + ": changes all the time");
    wait_or_cancel(call, *wait);
  }
}

// A bucket may forbid to delete what is revealed already: that is no reason to fail.
void GcsSink::clear(Call& call, GcsClient& client, const Json::Value& object) {
  const std::string name = object["temporary"].asString();
  try {
    client.remove(call, name, object["generation"].asInt64());
  } catch (const Error& error) {
    if (error.code() != Code::kAuth && error.code() != Code::kRemote) throw;
    context_.log(BAY_LOG_WARN,
                 client.uri(name) + ": stays, though it is not needed any more: " + error.what());
  }
}

void GcsSink::abort(Call& call, std::span<const std::string> txns) {
  const GcsLease client = access_.lease(call);
  for (const auto& txn : txns) {
    std::vector<GcsObject> left;
    client->list(call, gcs_temporary_prefix(config_, txn), false, 0,
                 [&](GcsObject object) { left.push_back(std::move(object)); });
    for (const auto& object : left) client->remove(call, object.name, object.generation);
  }
}

}  // namespace patchbay
