#include "gcs_store.h"

#include <charconv>

#include "gcs_transfer.h"

namespace patchbay {
namespace {

const std::vector<std::string> kNeeded = {"storage.objects.create", "storage.objects.delete",
                                          "storage.objects.get", "storage.objects.list"};

FoundObject found(const GcsObject& object) {
  return {object.name, std::to_string(object.generation), object.size, object.modified,
          object.crc32c};
}

GcsObject object_of(const FoundObject& object) {
  GcsObject out;
  out.name = object.key;
  out.generation = -1;  // what is no generation has been replaced
  std::from_chars(object.version.data(), object.version.data() + object.version.size(),
                  out.generation);
  out.size = object.size;
  out.crc32c = object.checksum;
  return out;
}

// Waits before a repeat that only the server's other writers make necessary.
void wait_for_others(Call& call, uint32_t attempt, const std::string& uri) {
  const auto wait = call.backoff(attempt);
  if (!wait) throw Error(Code::kUnavailable, uri + ": changes all the time");
  wait_or_cancel(call, *wait);
}

bool is_prepared(Call& call, GcsClient& client, const Json::Value& detail) {
  const auto there = client.find(call, detail["temporary"].asString());
  return there && there->generation == detail["generation"].asInt64();
}

}  // namespace

std::string GcsStore::default_stream(const Config& config) {
  return patchbay::default_stream(config.get<std::string>("path"),
                                  config.get<std::string>("bucket"));
}

GcsStore::GcsStore(Context& context, const Config& config, bool writes)
    : context_(context),
      access_(config, writes ? "read_write" : "read_only"),
      writes_(writes),
      content_type_(config.get_or<std::string>("content_type", "")),
      temporary_(config.get_or<std::string>("temporary", "")),
      piece_(config.get<int64_t>("chunk_size")) {}

std::string GcsStore::uri(const std::string& key) const {
  return "gs://" + access_.bucket() + "/" + key;
}

std::optional<FoundObject> GcsStore::find(Call& call, const std::string& key) {
  const auto object = access_.lease(call)->find(call, key);
  return object ? std::optional(found(*object)) : std::nullopt;
}

void GcsStore::list(Call& call, const ListedPrefix& below, const TakeObject& take) {
  access_.lease(call)->list(call, below.prefix, below.flat,
                            [&](const GcsObject& object) { return take(found(object)); });
}

std::unique_ptr<Download> GcsStore::open(Call& call, const FoundObject& object) {
  return std::make_unique<GcsDownload>(access_.lease(call), object_of(object), piece_);
}

std::unique_ptr<Upload> GcsStore::begin(Call& call, const Target& target) {
  GcsLease client = access_.lease(call);
  const std::string& key = target.name.key;
  const bool replaces = target.if_exists == IfExists::kReplace;
  if (keeps(*this, target, !replaces && client->find(call, key))) return nullptr;
  Json::Value detail;
  detail["target"] = key;
  detail["temporary"] = temporary_ + target.txn + "/" + target.number;
  detail["mark"] = target.txn + "/" + target.number;
  detail["content_type"] = content_type_;
  return std::make_unique<GcsUpload>(call, std::move(client), detail, replaces, piece_);
}

// Somebody else's object at the target came after ours where the temporary one is gone: it is
// deleted only once ours is revealed.
Outcome GcsStore::outcome(Call& call, const Json::Value& detail) {
  const GcsLease client = access_.lease(call);
  const auto there = client->find(call, detail["target"].asString());
  if (there && there->mark == detail["mark"].asString()) return Outcome::kCommitted;
  if (is_prepared(call, *client, detail)) return Outcome::kPrepared;
  const bool replaced = there && there->generation != detail["replaces"].asInt64();
  return replaced ? Outcome::kCommitted : Outcome::kGone;
}

Revealed GcsStore::reveal(Call& call, const Json::Value& detail, IfExists if_exists) {
  const GcsLease client = access_.lease(call);
  const Revealed revealed = show(call, *client, detail, if_exists);
  if (revealed == Revealed::kNow) call.durable_step("gcs.revealed");
  clear(call, *client, detail);
  call.durable_step("gcs.cleared");
  return revealed;
}

// The target's generation is looked at and given to the copy, so that neither a repeat nor a late
// answer writes over what somebody else has put there meanwhile.
Revealed GcsStore::show(Call& call, GcsClient& client, const Json::Value& detail,
                        IfExists if_exists) {
  const std::string name = detail["target"].asString();
  const std::string temporary = detail["temporary"].asString();
  for (uint32_t attempt = 1;; ++attempt) {
    const auto there = client.find(call, name);
    if (there && there->mark == detail["mark"].asString()) return Revealed::kBefore;
    const int64_t generation = there ? there->generation : 0;
    if (there && generation != detail["replaces"].asInt64()) {
      if (if_exists == IfExists::kSkip) return Revealed::kSkipped;
      if (!is_prepared(call, client, detail)) return Revealed::kBefore;  // see outcome
      if (if_exists == IfExists::kFail) throw already_there(uri(name));
      throw Error(Code::kRemote, uri(name) +
                                     ": was written by somebody else since this run prepared its "
                                     "own; delete or rename theirs and run again");
    }
    call.durable_step("gcs.reveal");
    switch (client.rewrite(call, temporary, detail["generation"].asInt64(), name, generation,
                           gcs_metadata(detail))) {
      case GcsClient::Rewritten::kDone:
        return Revealed::kNow;
      case GcsClient::Rewritten::kSourceGone:
        throw Error(Code::kNotFound,
                    uri(name) + ": the prepared object " + uri(temporary) + " is gone");
      case GcsClient::Rewritten::kTargetChanged:
        wait_for_others(call, attempt, uri(name));
    }
  }
}

// A bucket may forbid to delete what is revealed already: that is no reason to fail.
void GcsStore::clear(Call& call, GcsClient& client, const Json::Value& detail) {
  const std::string name = detail["temporary"].asString();
  try {
    client.remove(call, name, detail["generation"].asInt64());
  } catch (const Error& error) {
    if (error.code() != Code::kAuth && error.code() != Code::kRemote) throw;
    context_.log(BAY_LOG_WARN,
                 uri(name) + ": stays, though it is not needed any more: " + error.what());
  }
}

void GcsStore::drop(Call& call, std::span<const std::string> txns) {
  const GcsLease client = access_.lease(call);
  for (const auto& txn : txns) {
    std::vector<GcsObject> left;
    client->list(call, temporary_ + txn + "/", false, [&](const GcsObject& object) {
      left.push_back(object);
      return true;
    });
    for (const auto& object : left) client->remove(call, object.name, object.generation);
  }
}

// Within the bucket, without moving bytes.
void GcsStore::copy(Call& call, const FoundObject& object, const ObjectName& to) {
  const GcsLease client = access_.lease(call);
  const GcsObject from = object_of(object);
  for (uint32_t attempt = 1;; ++attempt) {
    const auto source = client->find(call, from.name);
    if (!source || source->generation != from.generation) return;
    const auto there = client->find(call, to.key);
    const auto rewritten = client->rewrite(call, from.name, from.generation, to.key,
                                           there ? there->generation : 0, Json::objectValue);
    if (rewritten == GcsClient::Rewritten::kDone) return;
    if (rewritten == GcsClient::Rewritten::kTargetChanged)
      wait_for_others(call, attempt, uri(to.key));
  }
}

void GcsStore::remove(Call& call, const FoundObject& object) {
  const GcsObject from = object_of(object);
  access_.lease(call)->remove(call, from.name, from.generation);
}

void GcsStore::check(Call& call) {
  if (!writes_) return;
  const GcsLease client = access_.lease(call);
  client->list(call, temporary_, false, [](const GcsObject&) { return false; });
  std::string missing;
  for (const auto& permission : client->missing_permissions(call, kNeeded))
    missing += (missing.empty() ? "" : ", ") + permission;
  if (!missing.empty())
    throw Error(Code::kAuth, "bucket " + access_.bucket() + ": these credentials lack " + missing);
}

}  // namespace patchbay
