#include "bench.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "patchbay/json_value.h"
#include "patchbay/text_value.h"

namespace patchbay::test {
namespace {

SinkUnderTest load() {
  SinkUnderTest out;
  const char* text = std::getenv("TABLE_CLAIMS");
  if (!text) return out;  // somebody lists the tests
  out.facts = parse_json(text);
  std::ifstream file(out.facts["manifest"].asString());
  out.manifest = parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
  void* library = dlopen(out.facts["plugin"].asCString(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  const auto entry = reinterpret_cast<bay_plugin_entry>(dlsym(library, BAY_PLUGIN_ENTRY));
  out.plugin = entry(FakeHost::table());
  return out;
}

// The options given, and the manifest's defaults of the others.
Json::Value complete(const char* kind, Json::Value config) {
  for (const auto& component : under_test().manifest["components"]) {
    if (component["kind"].asString() != kind) continue;
    const Json::Value& properties = component["config"]["properties"];
    for (const auto& name : properties.getMemberNames()) {
      if (!config.isMember(name) && properties[name].isMember("default"))
        config[name] = properties[name]["default"];
    }
    for (const auto& name : config.getMemberNames()) {
      if (!properties.isMember(name)) config.removeMember(name);
    }
  }
  return config;
}

Texts split(const std::string& text, char separator) {
  Texts out;
  std::istringstream in(text + separator);
  for (std::string part; std::getline(in, part, separator);) {
    while (part.starts_with(' ')) part.erase(0, 1);
    out.push_back(part);
  }
  return out;
}

}  // namespace

const SinkUnderTest& under_test() {
  static const SinkUnderTest one = load();
  return one;
}

std::vector<std::string> modes(const std::vector<std::string>& wanted) {
  std::vector<std::string> out;
  for (const auto& mode : under_test().facts["modes"]) {
    const std::string name = mode.asString();
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) out.push_back(name);
  }
  return out;
}

TableBench::TableBench() {
  static int number = 0;
  table_ = "claim" + std::to_string(getpid()) + "x" + std::to_string(++number);
  host.epoch.scope = "state/local/claims/" + table_;
  const Json::Value& secrets = under_test().facts["secrets"];
  for (const auto& name : secrets.getMemberNames()) host.secrets[name] = secrets[name].asString();
}

std::unique_ptr<SinkDriver> TableBench::another(const std::string& mode, const std::string& more) {
  Json::Value config = under_test().facts["config"];
  config["write"] = mode;
  if (mode == "upsert" || mode == "mirror") config["keys"].append("id");
  for (const char* name : {"s", "a", "b"}) config["tables"][name] = table_;
  if (mode == "mirror") config["tables"].removeMember("a"), config["tables"].removeMember("b");
  const Json::Value extra = parse_json(more);
  for (const auto& name : extra.getMemberNames()) config[name] = extra[name];
  return std::make_unique<SinkDriver>(host, *under_test().plugin,
                                      under_test().facts["component"].asString(),
                                      complete("sink", config));
}

SinkDriver& TableBench::sink(const std::string& mode, const std::string& more) {
  sink_ = another(mode, more);
  return *sink_;
}

Schema TableBench::stream(const std::string& name, const std::string& fields) {
  return {name, parse_type("struct<" + fields + ">").fields, {}};
}

std::vector<Batch> TableBench::batches(const Schema& schema, const std::vector<Texts>& batches) {
  std::vector<Batch> out;
  for (const auto& lines : batches) {
    BatchBuilder batch(std::make_shared<Schema>(schema));
    for (const auto& line : lines) {
      const Texts values = split(line, '|');
      for (size_t i = 0; i < schema.fields.size(); ++i) {
        if (values.at(i).empty()) {
          batch.column(i).append_null();
        } else {
          TextAppender(schema.fields[i].type, batch.column(i)).append(values[i]);
        }
      }
    }
    out.push_back(batch.finish());
  }
  return out;
}

void TableBench::prepare(const Schema& schema, const std::vector<Texts>& rows) {
  prepared_.push_back(sink_->prepare_all(schema, txn(), batches(schema, rows)));
  tokens_.push_back(prepared_.back().token);
}

void TableBench::next_epoch() {
  ++host.epoch.number;
  tokens_.clear();
  prepared_.clear();
}

void TableBench::commit() {
  sink_->commit(txn(), host.epoch.number, tokens_);
  next_epoch();
}

void TableBench::write(const std::string& mode, const Schema& schema, const Texts& rows,
                       const std::string& more) {
  sink(mode, more);
  prepare(schema, {rows});
  commit();
}

std::string TableBench::refusal(const Schema& schema, const std::vector<Texts>& rows, Code code) {
  const std::string said = failure(
      [&] {
        prepare(schema, rows);
        sink_->commit(txn(), host.epoch.number, tokens_);
      },
      code);
  sink_->abort({txn()});
  next_epoch();
  return said;
}

Texts TableBench::rows(const std::string& columns) {
  Json::Value config = under_test().facts["config"];
  config["tables"]["s"] = table_;
  Texts out;
  try {
    SourceDriver source(host, *under_test().plugin, under_test().facts["component"].asString(),
                        complete("source", config));
    for (const auto& line : rows_as_json(source.read_all())) {
      const Json::Value row = parse_json(line);
      std::string text;
      for (const auto& column : split(columns, ','))
        text += "|" + (row[column].isNull() ? "" : row[column].asString());
      out.push_back(text.substr(1));
    }
  } catch (const Error& error) {
    // There is no table yet.
    if (error.code() != Code::kNotFound && error.code() != Code::kConfig) throw;
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace patchbay::test
