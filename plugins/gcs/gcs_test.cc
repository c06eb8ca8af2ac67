// A bucket passes what every store has to, on the server of tests/services/gcs.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "patchbay/http.h"
#include "patchbay/json_value.h"
#include "patchbay/testing/object_action_suite.h"
#include "patchbay/testing/object_sink_suite.h"
#include "patchbay/testing/object_source_suite.h"

extern "C" const bay_plugin* patchbay_plugin_v1(const bay_host* host);

namespace patchbay::test {
namespace {

namespace fs = std::filesystem;

fs::path source_dir() {
  const char* dir = std::getenv("PATCHBAY_SOURCE_DIR");
  return dir ? fs::path(dir) : fs::path(__FILE__).parent_path().parent_path().parent_path();
}

// The server, in a process of its own, for all tests of this program.
class Server {
 public:
  static Server& the() {
    static Server server;
    return server;
  }

  HttpResponse send(const std::string& method, const std::string& path,
                    const Json::Value& body = {}) {
    FakeHost host;
    FakeCall raw(host);
    Call call(FakeHost::table(), raw.raw());
    HttpRequest request;
    request.method = method;
    request.url = url_ + path;
    if (!body.isNull()) request.body = write_json(body);
    return client_.require(call, request);
  }
  const std::string& url() const { return url_; }

 private:
  Server() : client_(HttpOptions{}) {
    char name[] = "/tmp/patchbay-gcs-XXXXXX";
    folder_ = mkdtemp(name);
    const std::string script = (source_dir() / "tests/services/gcs/server.py").string();
    const std::string port_file = (folder_ / "port").string();
    std::string arguments[] = {"python3", script, "--port-file", port_file};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                    arguments[3].data(), nullptr};
    if (posix_spawnp(&process_, "python3", nullptr, nullptr, argv, environ) != 0)
      throw std::runtime_error("python3 cannot be started");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!fs::exists(port_file) && std::chrono::steady_clock::now() < deadline)
      poll(nullptr, 0, 5);
    std::string port;
    std::ifstream(port_file) >> port;
    url_ = "http://127.0.0.1:" + port;
  }
  ~Server() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    fs::remove_all(folder_);
  }

  HttpClient client_;
  fs::path folder_;
  pid_t process_ = 0;
  std::string url_;
};

struct GcsBench {
  GcsBench() {
    server.send("POST", "/_control/reset", Json::objectValue);
    Json::Value buckets(Json::arrayValue);
    buckets.append("box");
    server.send("POST", "/_control/buckets", buckets);
  }

  static const bay_plugin& plugin() { return *patchbay_plugin_v1(FakeHost::table()); }
  Json::Value config(const std::string& path) const {
    Json::Value out;
    out["bucket"] = "box";
    out["path"] = path;
    out["endpoint"] = server.url();
    out["credentials"]["secret"] = "gcs";
    out["anonymous"] = false;
    out["allow_http"] = false;
    out["timeout"] = 60.0;
    out["chunk_size"] = 262144;
    out["content_type"] = "text/plain";
    out["temporary"] = ".patchbay/";
    return out;
  }
  static std::string uri(const std::string& name) { return "gs://box/" + name; }
  void put(const std::string& name, const std::string& text) const {
    Json::Value object;
    object["bucket"] = "box";
    object["name"] = name;
    object["text"] = text;
    server.send("POST", "/_control/objects", object);
  }
  std::string get(const std::string& name) const {
    return server.send("GET", "/_control/data/box/" + percent_encode(name)).body;
  }
  std::vector<std::string> objects(bool hidden) const {
    std::vector<std::string> out;
    for (const auto& one : parse_json(server.send("GET", "/_control/objects/box").body)) {
      if (one["name"].asString().starts_with(".patchbay/") == hidden)
        out.push_back(one["name"].asString());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<std::string> names() const { return objects(false); }
  size_t leftovers() const { return objects(true).size(); }
  std::string secret() const { return server.send("GET", "/_control/credentials").body; }
  std::string component = "gcs";
  Server& server = Server::the();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Gcs, ObjectSources, GcsBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Gcs, ObjectActions, GcsBench);
INSTANTIATE_TYPED_TEST_SUITE_P(Gcs, ObjectSinks, GcsBench);

}  // namespace
}  // namespace patchbay::test
