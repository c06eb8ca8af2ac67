#include "object_writer.h"

#include "patchbay/json_value.h"

namespace patchbay {

IfExists parse_if_exists(const std::string& name) {
  return name == "fail" ? IfExists::kFail : name == "skip" ? IfExists::kSkip : IfExists::kReplace;
}

const char* name_of(IfExists if_exists) {
  return if_exists == IfExists::kFail ? "fail" : if_exists == IfExists::kSkip ? "skip" : "replace";
}

void SkippedObjects::add(const std::string& uri) {
  constexpr int64_t kNamed = 3;
  if (++count_ > kNamed) return;
  names_ += (names_.empty() ? "" : ", ") + uri;
}

void SkippedObjects::report(Context& context) const {
  if (count_ == 0) return;
  context.metric_add("objects_skipped", static_cast<double>(count_));
  const bool one = count_ == 1;
  context.log(BAY_LOG_WARN,
              "if_exists: " + std::to_string(count_) +
                  (one ? " object was there and is kept: " : " objects were there and are kept: ") +
                  names_ + (count_ > 3 ? ", .." : ""));
}

ObjectWriter::ObjectWriter(Parts parts, std::string stream, std::string txn, uint64_t number)
    : parts_(parts),
      stream_(std::move(stream)),
      txn_(std::move(txn)),
      number_(std::to_string(number)) {
  token_["if_exists"] = name_of(parts_.if_exists);
  token_["objects"] = Json::arrayValue;
}

void ObjectWriter::write(Call& call, Batch batch) {
  const ObjectView view(batch);
  for (int64_t row = 0; row < view.rows(); ++row) {
    call.throw_if_cancelled();
    const ObjectChunk chunk = view[row];
    if (!open_) begin(call, std::string(chunk.key));
    if (upload_) upload_->append(call, chunk.data);
    if (chunk.last) finish(call);
  }
  rows_ += batch.rows();
}

void ObjectWriter::begin(Call& call, const std::string& key) {
  const std::string number = number_ + "-" + std::to_string(++objects_);
  const Target target{parts_.path.fill({stream_, key, objects_}), txn_, number, parts_.if_exists};
  uri_ = parts_.store.uri(target.name.key);
  parts_.claims.take(call, uri_, txn_);
  upload_ = parts_.store.begin(call, target);
  open_ = true;
  if (parts_.mirror) written_.insert(uri_);
  if (!upload_) skipped_.add(uri_);
}

void ObjectWriter::finish(Call& call) {
  if (upload_) {
    Json::Value object = upload_->finish(call);
    object["uri"] = uri_;
    token_["objects"].append(std::move(object));
  }
  upload_.reset();
  open_ = false;
}

Prepared ObjectWriter::prepare(Call& call) {
  if (open_) throw Error(Code::kInternal, uri_ + ": the epoch ends inside an object");
  if (parts_.mirror && call.epoch().complete)
    token_["removed"] = parts_.mirror->prepare(call, parts_.store, stream_, written_);
  skipped_.report(parts_.context);
  call.durable_step(parts_.name + ".prepared");
  return {write_json(token_), rows_};
}

}  // namespace patchbay
