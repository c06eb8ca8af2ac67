#include "replay/replay_source.h"

#include <atomic>

#include "engine/call.h"
#include "patchbay/object.h"
#include "patchbay/plugin.h"
#include "report/json_text.h"
#include "report/row_texts.h"

namespace patchbay::host {
namespace {

constexpr const char* kId = "rejects";
constexpr int64_t kBatchRows = 1000;

std::atomic<const ReplayFeed*> current_feed{nullptr};

std::string reject_of(int64_t id) { return "reject " + std::to_string(id) + ": "; }

std::string record_of(const RejectText& reject) {
  try {
    return record_in(reject.row_json);
  } catch (const Error& error) {
    throw Error(error.code(), reject_of(reject.id) + error.what());
  }
}

class ReplayReader : public Reader {
 public:
  ReplayReader(const ReplayFeed& feed, RejectGroup group) : feed_(feed), group_(std::move(group)) {}

  Checkpoint checkpoint(Call&, Json::Value& state) override {
    if (in_file()) return Checkpoint::kNotNow;
    if (read_ == told_) return Checkpoint::kUnchanged;
    state["to"] = Json::Int64(told_ = read_);
    return Checkpoint::kState;
  }

 protected:
  virtual bool in_file() const { return false; }

  std::vector<RejectText> read(int64_t most) {
    auto rejects = feed_.state.rejects_of(group_, read_, most);
    if (!rejects.empty()) read_ = rejects.back().id;
    return rejects;
  }

  const ReplayFeed& feed_;
  const RejectGroup group_;

 private:
  int64_t read_ = 0, told_ = 0;
};

class RowReader final : public ReplayReader {
 public:
  RowReader(const ReplayFeed& feed, RejectGroup group)
      : ReplayReader(feed, std::move(group)),
        schema_(
            std::make_shared<const Schema>(schema_from_json(parse_json_text(group_.schema_json)))) {
    if (!is_record(*schema_)) return;
    throw Error(Code::kConfig,
                "the rejects of stream " + group_.stream +
                    " are records whose types are not known, so the node cannot take them again; "
                    "print them with `patchbay rejects export`, fix them, and load them by hand");
  }

  Event next(Call& call) override {
    if (!std::exchange(begun_, true)) return StreamBegin{0, schema_};
    const auto rejects = read(std::min(kBatchRows, call.max_rows()));
    if (rejects.empty()) return End{};
    std::vector<std::string> rows;
    for (const auto& reject : rejects) {
      try {
        rows_from_texts(schema_, {reject.row_json});
      } catch (const Error& error) {
        throw Error(error.code(), reject_of(reject.id) + error.what());
      }
      rows.push_back(reject.row_json);
    }
    return BatchEvent{0, rows_from_texts(schema_, rows)};
  }

 private:
  const SchemaPtr schema_;
  bool begun_ = false;
};

// The group's records as one file.
class FileReader final : public ReplayReader {
 public:
  FileReader(const ReplayFeed& feed, RejectGroup group)
      : ReplayReader(feed, std::move(group)),
        schema_(std::make_shared<const Schema>(object_schema(group_.stream))) {}

  Event next(Call&) override {
    if (!std::exchange(begun_, true)) {
      make();
      return StreamBegin{0, schema_};
    }
    if (ended_) return End{};
    ObjectBuilder chunks(schema_);
    const size_t size = std::min(kObjectChunk, file_.size() - at_);
    ended_ = at_ + size == file_.size();
    ObjectChunk chunk;
    chunk.key = group_.file.empty() ? group_.stream : group_.file;
    chunk.size = static_cast<int64_t>(file_.size());
    chunk.offset = static_cast<int64_t>(at_);
    chunk.data = std::string_view(file_).substr(at_, size);
    chunk.last = ended_;
    chunks.append(chunk);
    at_ += size;
    return BatchEvent{0, chunks.finish()};
  }

 private:
  bool in_file() const override { return !ended_; }

  void make() {
    std::vector<std::string> records;
    for (auto some = read(kBatchRows); !some.empty(); some = read(kBatchRows)) {
      for (const auto& reject : some) records.push_back(record_of(reject));
    }
    file_ = feed_.make_file(records);
  }

  const SchemaPtr schema_;
  std::string file_;
  size_t at_ = 0;
  bool begun_ = false, ended_ = false;
};

class ReplaySource final : public Source {
 public:
  ReplaySource(Context&, const Config&) : feed_(*current_feed.load()) {}

  void check(Call&) override {}
  std::vector<Schema> discover(Call&) override { return {}; }

  std::vector<Split> plan(Call&, const std::vector<std::string>&, uint32_t) override {
    std::vector<Split> splits;
    for (const auto& group : feed_.groups) {
      Split split;
      split.id = group_json(group);
      split.stream = stream_of(group);
      splits.push_back(std::move(split));
    }
    return splits;
  }

  std::unique_ptr<Reader> open(Call&, const Split& split, const Json::Value&) override {
    for (const auto& group : feed_.groups) {
      if (group_json(group) != split.id) continue;
      if (feed_.make_file) return std::make_unique<FileReader>(feed_, group);
      return std::make_unique<RowReader>(feed_, group);
    }
    throw Error(Code::kInternal, "replay: no such group of rejects");
  }

 private:
  // Rows have the name under which the node got them.
  std::string stream_of(const RejectGroup& group) const {
    return feed_.make_file ? group.stream : parse_json_text(group.schema_json)["name"].asString();
  }

  const ReplayFeed& feed_;
};

}  // namespace

std::shared_ptr<const Manifest> replay_manifest(bool gives_files) {
  auto manifest = std::make_shared<Manifest>();
  manifest->id = kId;
  ComponentManifest source;
  source.config["type"] = "object";
  source.replayable = true;
  source.incremental = true;
  source.gives = gives_files ? "objects" : "rows";
  manifest->components.push_back(std::move(source));
  return manifest;
}

const bay_plugin* replay_plugin() {
  static const bay_plugin* const plugin =
      make_plugin(host_table(), kId, "", {component<ReplaySource>("")});
  return plugin;
}

ReplayScope::ReplayScope(const ReplayFeed& feed) { current_feed = &feed; }
ReplayScope::~ReplayScope() { current_feed = nullptr; }

}  // namespace patchbay::host
