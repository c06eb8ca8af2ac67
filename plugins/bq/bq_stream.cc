#include "bq_stream.h"

#include <openssl/evp.h>

#include <algorithm>

#include "patchbay/json_text.h"
#include "patchbay/tables/words.h"

namespace patchbay {
namespace {

constexpr size_t kMostRows = 500;               // recommended per request
constexpr size_t kMostBytes = 9 * 1000 * 1000;  // a request over 10 MB is refused
constexpr int kMostRounds = 50;

std::string digest(const std::string& text) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha256(), nullptr);
  return base64({reinterpret_cast<const char*>(hash), 18});
}

}  // namespace

BqStreamWriter::BqStreamWriter(std::unique_ptr<BqClient> client, SchemaPtr stream,
                               const Json::Value& table_fields, std::string table, std::string name,
                               const std::vector<std::string>& keys, bool lacks_fields)
    : client_(std::move(client)),
      stream_(stream),
      table_(std::move(table)),
      name_(std::move(name)),
      lacks_fields_(lacks_fields),
      encoder_(std::move(stream), table_fields, true) {
  const bool all = std::all_of(keys.begin(), keys.end(),
                               [&](const auto& key) { return stream_->index_of(key) >= 0; });
  for (size_t i = 0; all && i < keys.size(); ++i)
    keys_.push_back(static_cast<size_t>(stream_->index_of(keys[i])));
}

bool BqStreamWriter::has_key(const Batch& batch, int64_t row) const {
  const ArrowArray& array = batch.array();
  return !keys_.empty() && std::none_of(keys_.begin(), keys_.end(), [&](size_t i) {
    return ColumnView(stream_->fields[i].type, *array.children[i], array.offset, array.length)
        .is_null(row);
  });
}

void BqStreamWriter::write(Call& call, Batch batch) {
  batch = encoder_.without_misfits(call, std::move(batch));
  const JsonRows json = encoder_.rows(batch);
  std::vector<Row> rows;
  size_t bytes = 0;
  for (int64_t i = 0; i < batch.rows(); ++i) {
    Row row{i, "", ""};
    json.append(row.json, i);
    // Rows with a key are told apart by their content, whenever they are sent again; two others may
    // be alike and both count, so their place in the transaction goes in.
    const std::string place = name_ + "\n" + std::to_string(offered_++) + "\n";
    row.id = digest(has_key(batch, i) ? row.json : place + row.json);
    if (rows.size() == kMostRows || (bytes + row.json.size() > kMostBytes && !rows.empty())) {
      send(call, batch, std::exchange(rows, {}));
      bytes = 0;
    }
    bytes += row.json.size() + 100;
    rows.push_back(std::move(row));
  }
  if (!rows.empty()) send(call, batch, std::move(rows));
}

// A request with one bad row is refused whole: the others come back as `stopped` and are sent
// again.
void BqStreamWriter::send(Call& call, const Batch& batch, std::vector<Row> rows) {
  for (int round = 0; !rows.empty(); ++round) {
    if (round == kMostRounds)
      throw Error(Code::kUnavailable, "table " + table_ + ": rows keep being stopped");
    rows = insert(call, batch, rows);
  }
}

std::vector<BqStreamWriter::Row> BqStreamWriter::insert(Call& call, const Batch& batch,
                                                        const std::vector<Row>& rows) {
  std::string body = R"({"skipInvalidRows":false,"ignoreUnknownValues":)";
  body += lacks_fields_ ? R"(true,"rows":[)" : R"(false,"rows":[)";
  for (size_t i = 0; i < rows.size(); ++i) {
    body += (i == 0 ? R"({"insertId":")" : R"(,{"insertId":")") + rows[i].id + R"(","json":)" +
            rows[i].json + "}";
  }
  call.durable_step("bq.insert");
  const Json::Value answer =
      client_->insert_all(call, table_, body + "]}", [&](const std::string& said) {
        std::vector<std::string> texts;
        for (const auto& row : rows) {
          for (auto& text : tables::texts_of(batch, row.index)) texts.push_back(std::move(text));
        }
        return tables::without_values(said, *stream_, texts);
      });
  const Json::Value& errors = answer["insertErrors"];
  if (errors.empty()) {
    rows_ += static_cast<int64_t>(rows.size());
    return {};
  }
  std::vector<std::string> refused(rows.size());
  for (const auto& one : errors) {
    const Json::UInt64 index = one["index"].isUInt64() ? one["index"].asUInt64() : rows.size();
    if (index >= rows.size()) continue;
    const auto texts = tables::texts_of(batch, rows[index].index);
    for (const auto& error : one["errors"]) {
      if (error["reason"].asString() == "stopped") continue;
      refused[index] += (refused[index].empty() ? "" : "; ") + reason_of(error, texts);
    }
  }
  std::vector<Row> again;
  bool any = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (refused[i].empty()) {
      again.push_back(rows[i]);
      continue;
    }
    any = true;
    call.reject({stream_->name, "invalid", refused[i], ""}, batch.rows_at({rows[i].index}));
  }
  if (!any)
    throw Error(Code::kUnavailable,
                "table " + table_ + ": BigQuery stopped every row without a reason");
  return again;
}

std::string BqStreamWriter::reason_of(const Json::Value& error,
                                      const std::vector<std::string>& texts) const {
  const std::string location =
      tables::without_values(error["location"].asString(), *stream_, texts);
  return (location.empty() ? "" : location + ": ") + error["reason"].asString() + ": " +
         tables::without_values(error["message"].asString(), *stream_, texts);
}

Prepared BqStreamWriter::prepare(Call&) { return {"{}", rows_}; }

}  // namespace patchbay
