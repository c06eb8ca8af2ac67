#include <algorithm>
#include <deque>

#include "patchbay/json_records.h"
#include "patchbay/json_value.h"
#include "patchbay/plugin.h"
#include "qreviews_client.h"
#include "qreviews_schema.h"

namespace patchbay {
namespace {

struct QreviewsConfig {
  QreviewsAccess access;
  HttpOptions http;
  int64_t page_size, start_after;
};

QreviewsConfig parse_config(const Config& config) {
  QreviewsConfig out{{config.get<std::string>("base_url"), config.get<Secret>("account_sid"),
                      config.get<Secret>("api_key")},
                     {},
                     config.get<int64_t>("page_size"),
                     config.get<int64_t>("start_after")};
  out.http.allow_http = config.get<bool>("allow_http");
  out.http.ca_file = config.get_or<std::string>("ca_file", "");
  out.http.set_timeout(config.get<double>("timeout"));
  out.http.proxy = config.get_or<std::string>("proxy", "");
  return out;
}

// Reads page after page until an empty one. The cursor is the greatest sequence of what was
// returned or refused.
class QreviewsReader final : public Reader {
 public:
  QreviewsReader(const QreviewsConfig& config, int64_t cursor)
      : config_(config),
        client_(config.access, config.http),
        cursor_(cursor),
        read_to_(cursor),
        records_(qreviews_schema(),
                 [this](std::string_view record) { return note_refused(record); }) {}

  Event next(Call& call) override {
    if (!schema_) {
      schema_ = records_.schema();
      return StreamBegin{0, schema_};
    }
    if (pages_.empty() && !read_page(call)) return End{};
    if (pages_.empty())
      return Idle{std::chrono::milliseconds(0)};  // every record of the page was refused
    Batch& page = pages_.front();
    if (page.schema() != schema_) {
      schema_ = page.schema();
      return StreamBegin{0, schema_};
    }
    return give(call.max_rows());
  }

  Checkpoint checkpoint(Call&, Json::Value& state) override {
    if (read_to_ == cursor_ && pages_.empty()) return Checkpoint::kUnchanged;
    state["sequence"] = Json::Int64(pages_.empty() ? read_to_ : given_to_);
    return pages_.empty() || given_to_ > cursor_ ? Checkpoint::kState : Checkpoint::kUnchanged;
  }

 private:
  Event give(int64_t most) {
    Batch& page = pages_.front();
    const int64_t rows = std::min(page.rows(), most);
    given_to_ = sequence_at(page, rows - 1);
    Batch rest = rows < page.rows() ? page.slice(rows, page.rows() - rows) : Batch();
    Batch out = rows < page.rows() ? page.slice(0, rows) : std::move(page);
    pages_.pop_front();
    if (rest.rows() > 0) pages_.push_front(std::move(rest));
    return BatchEvent{0, std::move(out)};
  }

  static int64_t sequence_at(const Batch& batch, int64_t row) {
    return BatchView(batch).column<Int64View>("sequence")[row];
  }

  // False at the end: an empty page. A short one is none, servers cap the limit.
  bool read_page(Call& call) {
    const int64_t limit = std::min(config_.page_size, call.max_rows());
    const std::string what = "GET " + public_url(client_.page_url(read_to_, limit));
    const int64_t before = records_.records();
    refused_ = {};
    parse_page(call, limit, what);
    for (auto& batch : records_.take(true)) pages_.push_back(std::move(batch));
    const int64_t seen = records_.records() - before;
    if (seen == 0) return false;
    read_to_ = check_sequences(what);
    return true;
  }

  // Of a body that is no JSON, or is cut, nothing is taken: another attempt may bring the page.
  void parse_page(Call& call, int64_t limit, const std::string& what) {
    for (uint32_t attempt = 1;; ++attempt) {
      HttpResponse page = client_.page(call, read_to_, limit);
      const size_t size = page.body.size();
      if (!broken(call, std::move(page.body), what)) return;
      const auto wait = call.backoff(attempt);
      if (!wait) {
        const std::string type = page.header("content-type");
        throw Error(Code::kRemote, what + ": answered 200 with a body that is no JSON (" +
                                       (type.empty() ? "no content type" : type) + ", " +
                                       std::to_string(size) + " bytes)");
      }
      wait_or_cancel(call, *wait);
    }
  }

  bool broken(Call& call, std::string body, const std::string& what) {
    try {
      return records_.parse(call, std::move(body), {{"objects"}, false}, what).has_value();
    } catch (const Error& error) {
      // `objects` missing, or no list: never taken for the end.
      if (error.code() == Code::kData) throw Error(Code::kRemote, error.what());
      throw;
    }
  }

  // The greatest sequence of the page, rows and refused records together.
  int64_t check_sequences(const std::string& what) const {
    int64_t last = read_to_;
    for (const auto& page : pages_) {
      const auto sequence = BatchView(page).column<Int64View>("sequence");
      for (int64_t row = 0; row < page.rows(); ++row) {
        if (sequence.is_null(row))
          throw Error(Code::kRemote, what + ": objects[].sequence: is null");
        if (sequence[row] <= last) {
          throw Error(Code::kRemote, what + ": objects[].sequence: must increase, but " +
                                         std::to_string(sequence[row]) + " comes after " +
                                         std::to_string(last));
        }
        last = sequence[row];
      }
    }
    for (const int64_t sequence : refused_) {
      if (sequence <= read_to_) {
        throw Error(Code::kRemote, what + ": objects[].sequence: must increase, but " +
                                       std::to_string(sequence) + " comes after " +
                                       std::to_string(read_to_));
      }
      last = std::max(last, sequence);
    }
    if (last == read_to_) {
      throw Error(Code::kRemote,
                  what + ": no record of the page has a sequence, so there is no going on");
    }
    return last;
  }

  std::string note_refused(std::string_view record) {
    const auto sequence = integer_member(record, "sequence");
    if (!sequence) return "";
    refused_.push_back(*sequence);
    return "{\"sequence\":" + std::to_string(*sequence) + "}";
  }

  const QreviewsConfig& config_;
  QreviewsClient client_;
  const int64_t cursor_;          // where this reader began
  int64_t read_to_;               // the greatest sequence of the pages read
  int64_t given_to_ = 0;          // the sequence of the last row returned
  std::vector<int64_t> refused_;  // sequences of the page's refused records
  JsonRecords records_;
  SchemaPtr schema_;         // as announced
  std::deque<Batch> pages_;  // read, not returned yet
};

class QreviewsSource final : public Source {
 public:
  QreviewsSource(Context&, const Config& config) : config_(parse_config(config)) {}

  void check(Call& call) override {
    QreviewsClient(config_.access, config_.http).page(call, INT64_MAX / 2, 1);
  }

  std::vector<Schema> discover(Call&) override { return {qreviews_schema()}; }

  std::vector<Split> plan(Call&, const std::vector<std::string>& streams, uint32_t) override {
    if (!streams.empty() && std::find(streams.begin(), streams.end(), "responses") == streams.end())
      return {};
    return {{"responses", "responses", false, Json::objectValue}};
  }

  std::unique_ptr<Reader> open(Call&, const Split&, const Json::Value& state) override {
    int64_t cursor = config_.start_after;
    if (!state.isNull()) {
      if (!state.isObject() || !state["sequence"].isInt64()) {
        throw Error(Code::kConfig,
                    "state: must be like {\"sequence\": 100}; mend it with `patchbay state set`");
      }
      cursor = state["sequence"].asInt64();
    }
    return std::make_unique<QreviewsReader>(config_, cursor);
  }

 private:
  const QreviewsConfig config_;
};

}  // namespace
}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::QreviewsSource>("qreviews"))
