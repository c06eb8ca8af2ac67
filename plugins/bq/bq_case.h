// The sink against a server that a test writes answer by answer.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/builder.h"
#include "patchbay/json_value.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/failure.h"
#include "scripted_server.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay {

using test::SinkDriver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

inline const std::string kDone = answer(200, R"({"status":{"state":"DONE"}})");

inline std::string failed(const std::string& reason) {
  return answer(200, R"({"status":{"state":"DONE","errorResult":{"reason":")" + reason +
                         R"(","message":"why"}}})");
}

// A token and a table for whoever asks; all else is noted, and answered in order as the test says.
struct BqSinkTest : testing::Test {
  BqSinkTest()
      : server({[this](Peer& peer) {
          for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request())
            peer.send(reply_to(r));
        }}) {
    host.secrets["user"] =
        R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","token_uri":")" +
        server.url("/token") + "\"}";
  }

  std::string reply_to(const std::string& request) {
    if (request.starts_with("POST /token"))
      return answer(200, R"({"access_token":"t","expires_in":3600})");
    const size_t job = request.find("/jobs/");
    if (request.starts_with("GET ") && job != std::string::npos) {
      const std::string name = request.substr(job + 6, request.find('?', job) - job - 6);
      return stored_jobs.contains(name) ? stored_jobs[name] : answer(404, "");
    }
    if (request.starts_with("GET ")) return answer(200, table);
    const std::lock_guard lock(mutex);
    noted.push_back(request);
    if (replies.empty()) return answer(200, "{}");
    std::string reply = replies.front();
    replies.erase(replies.begin());
    return reply;
  }

  Json::Value config(const std::string& more = "{}") const {
    Json::Value out = parse_json(
        R"({"project":"p","dataset":"d","location":"US","method":"stream","write":"append","create":true,
            "allow_http":false,"credentials":{"secret":"user"}})");
    out["endpoint"] = server.url();
    const Json::Value changes = parse_json(more);
    for (const auto& name : changes.getMemberNames()) out[name] = changes[name];
    return out;
  }
  std::unique_ptr<SinkDriver> sink(const std::string& more = "{}") {
    return std::make_unique<SinkDriver>(host, *patchbay_plugin_v1(test::FakeHost::table()), "bq",
                                        config(more));
  }

  // The bodies of the noted requests.
  std::vector<Json::Value> bodies() const {
    std::vector<Json::Value> out;
    for (const auto& request : noted)
      out.push_back(parse_json(request.substr(request.find("\r\n\r\n") + 4)));
    return out;
  }
  // ids of the rows of one insertAll request.
  static std::vector<std::string> ids(const Json::Value& body) {
    std::vector<std::string> out;
    for (const auto& row : body["rows"]) out.push_back(row["insertId"].asString());
    return out;
  }

  test::FakeHost host;
  std::mutex mutex;
  std::vector<std::string> replies, noted;
  std::string table =
      R"({"schema":{"fields":[{"name":"id","type":"INTEGER"},{"name":"name","type":"STRING"}]}})";
  std::map<std::string, std::string> stored_jobs;  // what is there already
  ScriptedServer server;
};

inline Schema people(std::vector<std::string> keys = {"id"}) {
  return {"people",
          {{"id", scalar(TypeId::kInt64), true}, {"name", scalar(TypeId::kUtf8), true}},
          std::move(keys)};
}

inline Batch rows(const std::vector<std::pair<std::optional<int64_t>, const char*>>& values,
                  const Schema& schema = people()) {
  BatchBuilder batch(std::make_shared<Schema>(schema));
  for (const auto& [id, name] : values) {
    if (id) {
      batch.column<Int64Builder>(0).append(*id);
    } else {
      batch.column(0).append_null();
    }
    batch.column<Utf8Builder>(1).append(name);
  }
  return batch.finish();
}

}  // namespace patchbay
