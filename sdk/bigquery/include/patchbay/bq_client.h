// The BigQuery REST API, version 2, as far as the plugin needs it:
// https://cloud.google.com/bigquery/docs/reference/rest
#pragma once

#include <json/value.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "patchbay/google.h"
#include "patchbay/google_upload.h"

namespace patchbay {

struct BqPlace {
  std::string endpoint, project, dataset, location;
};

// As SQL has it: `project.dataset.table`.
std::string bq_table(const BqPlace& place, const std::string& table);

// Of the secret; without one by Google's search order.
std::shared_ptr<GoogleCredentials> bq_credentials(Call& call, const std::optional<Secret>& secret);

// How a job ended.
struct BqJobOutcome {
  bool ok = false;
  std::string reason, message;  // of errorResult
  int64_t affected_rows = 0;    // by a query that writes
  bool repeated = false;        // of a job that was there before
  // The first few of what `errors` says beyond errorResult. May hold values of rows, as `message`
  // may.
  std::vector<std::string> details{};
};

// What a query would give, if it can run.
struct BqDryRun {
  BqJobOutcome outcome;
  Json::Value fields;
};

// What BigQuery says of a request that carries rows, without their values.
using BqWords = std::function<std::string(const std::string&)>;

// One thread at a time.
class BqClient {
 public:
  BqClient(BqPlace place, std::shared_ptr<GoogleCredentials> credentials, HttpOptions options);

  const BqPlace& place() const { return place_; }

  bool has_dataset(Call& call);
  void create_dataset(Call& call);  // there already = fine
  std::optional<Json::Value> get_table(Call& call, const std::string& table);
  // `resource`: {"schema": .., "timePartitioning": ..}, as tables.insert takes it. False where it
  // is there already. `expires_in` 0 = never.
  bool create_table(Call& call, const std::string& table, Json::Value resource,
                    std::chrono::seconds expires_in);
  void patch_schema(Call& call, const std::string& table, const Json::Value& schema,
                    const std::string& etag);
  bool delete_table(Call& call, const std::string& table);  // false where there is none

  // Inserts a job under an id of the caller's choice and waits for its end. A job that is there
  // already under this id is waited for in its place.
  BqJobOutcome run_job(Call& call, const std::string& id, const Json::Value& configuration);
  std::optional<BqJobOutcome> find_job(
      Call& call, const std::string& id);  // waits for its end; nothing = no such job

  void cancel_job(Call& call, const std::string& id);  // where it is there, runs and may be
  // Checks a query (GoogleSQL) without running it.
  BqDryRun dry_run(Call& call, const std::string& sql);

  // A load job that comes with its data.
  GoogleUpload begin_upload(Call& call, const std::string& id, const Json::Value& configuration,
                            BqWords without_values);

  // One page of rows, with pageToken where there are more. Timestamps are microseconds.
  Json::Value list_rows(Call& call, const std::string& table, const std::string& page_token);
  Json::Value start_query(Call& call,
                          const std::string& sql);  // its first page, with schema and jobReference
  Json::Value query_page(Call& call, const std::string& job, const std::string& page_token);

  Json::Value insert_all(Call& call, const std::string& table, const std::string& body,
                         BqWords without_values);

 private:
  HttpRequest job_request(const std::string& id, const Json::Value& configuration) const;
  std::string project_url(const std::string& rest) const;
  std::string dataset_url(const std::string& rest) const;
  HttpRequest json_request(const std::string& method, const std::string& url,
                           const Json::Value& body) const;
  BqJobOutcome wait_for(Call& call, const std::string& id, Json::Value job);
  std::optional<Json::Value> get_job(Call& call, const std::string& id);

  const BqPlace place_;
  GoogleApi api_;
};

}  // namespace patchbay
