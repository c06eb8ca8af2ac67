#include "pipeline/parse_pipeline.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "files/local_files.h"
#include "manifest/config_check.h"
#include "patchbay/error.h"
#include "patchbay/suggest.h"
#include "pipeline/graph.h"
#include "pipeline/pipeline_schema.h"
#include "pipeline/units.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

SchemaPolicy parse_policy(const std::string& name) {
  if (name == "ignore") return SchemaPolicy::kIgnore;
  if (name == "reject") return SchemaPolicy::kReject;
  return name == "evolve" ? SchemaPolicy::kEvolve : SchemaPolicy::kFail;
}

class PipelineParser {
 public:
  PipelineParser(Document document, const Environment& environment, const Catalog& catalog,
                 const ParseOptions& options)
      : document_(std::move(document)),
        environment_(environment),
        catalog_(catalog),
        options_(options) {}

  Pipeline parse() {
    if (!document_.root.isObject()) {
      fault("", "must be a mapping with nodes:");
      stop_on_faults();
    }
    const Json::Value& written = document_.root;
    note_names(written["nodes"]);
    note_names(written["variables"]);
    for (const auto& [name, value] : environment_.variables) note_names(value);
    substitute();
    check_shape();
    read_top();
    std::vector<std::string> passwords;
    pipeline_.nodes = read_nodes(document_, environment_, catalog_, faults_, passwords);
    for (const auto& password : passwords) options_.on_password(password);
    check_graph(document_, pipeline_, faults_);
    check_secrets();
    stop_on_faults();
    return std::move(pipeline_);
  }

 private:
  // In the order of the file.
  void stop_on_faults() {
    if (faults_.empty()) return;
    std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      return std::pair(a.position.line, a.position.column) <
             std::pair(b.position.line, b.position.column);
    });
    throw Faults(faults_);
  }
  void fault(const std::string& pointer, const std::string& message) {
    if (!document_.unknown.contains(pointer))
      faults_.push_back({document_.file, document_.at(pointer), message});
  }

  // Members that are wrong are taken out, so that what is left can be judged too; nothing can where
  // that is not enough.
  void check_shape() {
    Json::Value& root = document_.root;
    for (const auto& found : check_config(pipeline_file_schema(), "a pipeline", root)) {
      fault(found.path, found.message);
      if (!found.path.empty()) take_out(root, found.path);
    }
    if (!check_config(pipeline_file_schema(), "a pipeline", root).empty()) stop_on_faults();
  }

  static void take_out(Json::Value& root, const std::string& pointer) {
    Json::Value* parent = &root;
    const size_t last = pointer.rfind('/');
    for (size_t at = 1; at < last;) {
      const size_t end = pointer.find('/', at);
      const std::string part = pointer.substr(at, end - at);
      Json::ArrayIndex index = 0;
      std::from_chars(part.data(), part.data() + part.size(), index);
      if (parent->isArray() && index < parent->size()) {
        parent = &(*parent)[index];
      } else if (parent->isObject() && parent->isMember(part)) {
        parent = &(*parent)[part];
      } else {
        return;
      }
      at = end + 1;
    }
    if (parent->isObject()) parent->removeMember(pointer.substr(last + 1));
  }

  // Defaults of the file, then the environment's, then --set.
  void substitute() {
    Variables variables;
    const Json::Value& root = document_.root;
    const Json::Value own = root["variables"];
    if (own.isObject()) {
      for (const auto& name : own.getMemberNames()) {
        variables[name] = own[name];
        note("variables." + name, own[name], place("/variables/" + name));
      }
    }
    for (const auto& value : environment_.values) note(value.name, value.value, value.from);
    for (const auto& [name, value] : environment_.variables) variables[name] = value;
    for (const auto& [name, value] : options_.set) {
      if (!variables.contains(name)) throw unknown_variable(name, variables);
      // The command line knows only text; a variable that was a number stays one.
      const bool text = variables[name].isString() || !value.isString();
      variables[name] = text ? value : plain_scalar(value.asString());
      note("variables." + name, variables[name], "--set");
      if (text && value.isString()) variables[name] = without_variables(value.asString());
    }
    RunClock clock = options_.clock;
    const Json::Value zone = root["timezone"];
    clock.timezone = zone.isString() ? zone.asString() : environment_.timezone;
    if (zone.isString()) note("timezone", zone, place("/timezone"));
    try {
      format_in_zone(clock, "%Y");
      keep_literal(variables, clock);
      for (const auto& member : document_.root.getMemberNames()) {
        if (member == "variables") continue;
        replace_variables(document_, "/" + member, document_.root[member], variables, clock,
                          faults_);
      }
    } catch (const Error& error) {
      const std::string where = zone.isString() ? "" : "environment " + environment_.name + ": ";
      fault("/timezone", where + error.what());
    }
    pipeline_.timezone = clock.timezone;
  }

  // Faults are found with the real clock.
  void keep_literal(const Variables& variables, RunClock clock) {
    clock.literal = true;
    Document scratch;
    std::vector<Fault> faults;
    const Json::Value& root = document_.root;
    document_.literal_nodes = root["nodes"];
    replace_variables(scratch, "/nodes", document_.literal_nodes, variables, clock, faults);
  }

  static UsageError unknown_variable(const std::string& name, const Variables& variables) {
    std::vector<std::string> known;
    for (const auto& [variable, value] : variables) known.push_back(variable);
    return UsageError("--set " + name +
                      ": neither the pipeline nor the environment has such a variable" +
                      did_you_mean(name, known));
  }

  void read_top() {
    const Json::Value& root = document_.root;
    pipeline_.file = document_.file;
    const std::string stem =
        document_.file == "-" ? "stdin" : fs::path(document_.file).stem().string();
    pipeline_.name = root.get("name", stem).asString();
    const bool control = std::any_of(pipeline_.name.begin(), pipeline_.name.end(), [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
    if (pipeline_.name.empty() || control || pipeline_.name.find('/') != std::string::npos) {
      fault("/name", "name: must be text on one line, without \"/\"");
    }
    pipeline_.description = root["description"].asString();
    pipeline_.on_schema_change = parse_policy(root["on_schema_change"].asString());
    if (root.isMember("require")) {
      pipeline_.require = root["require"].asString() == "exactly_once" ? Guarantee::kExactlyOnce
                                                                       : Guarantee::kAtLeastOnce;
    }
    pipeline_.concurrency = root.get("concurrency", environment_.concurrency.value_or(4)).asUInt();
    if (root.isMember("concurrency"))
      note("limits.concurrency", root["concurrency"], place("/concurrency"));
    read_limits(root);
  }

  std::string place(const std::string& pointer) const {
    return document_.file + ":" + std::to_string(document_.at(pointer).line);
  }

  void note(const std::string& name, const Json::Value& value, const std::string& from) {
    auto& values = pipeline_.values;
    std::erase_if(values, [&](const NamedValue& v) { return v.name == name; });
    const bool scalar = !value.isObject() && !value.isArray();
    values.push_back({name, scalar ? value.asString() : compact_json(value), from});
  }

  template <class Work>
  void guarded(const std::string& pointer, Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      fault(pointer, error.what());
    }
  }

  void read_limits(const Json::Value& root) {
    const Json::Value& commit = root["commit"];
    pipeline_.commit.rows_given = commit.isMember("rows");
    if (commit.isMember("rows")) pipeline_.commit.rows = commit["rows"].asInt64();
    guarded("/commit/bytes", [&] {
      if (commit.isMember("bytes"))
        pipeline_.commit.bytes = parse_size("commit.bytes", commit["bytes"]);
    });
    guarded("/commit/every", [&] {
      if (commit.isMember("every"))
        pipeline_.commit.every = parse_duration("commit.every", commit["every"]);
    });
    const Json::Value& max = root["rejects"]["max"];
    if (max.isInt64()) pipeline_.rejects.max_rows = max.asInt64();
    guarded("/rejects/max", [&] {
      if (max.isString()) pipeline_.rejects.percent = parse_percent("rejects.max", max.asString());
    });
    const Json::Value& retry = root["retry"];
    if (retry.isMember("attempts")) pipeline_.retry.attempts = retry["attempts"].asUInt();
    guarded("/retry/for", [&] {
      if (retry.isMember("for")) pipeline_.retry.within = parse_duration("retry.for", retry["for"]);
    });
    guarded("/retry/delay", [&] {
      if (retry.isMember("delay"))
        pipeline_.retry.delay = parse_duration("retry.delay", retry["delay"]);
    });
  }

  // The texts of the files, which were written as names or parts of them. What --set gives may be
  // a secret itself.
  void note_names(const Json::Value& value) {
    if (value.isString()) written_.insert(value.asString());
    if (!value.isArray() && !value.isObject()) return;
    for (const auto& one : value) note_names(one);
  }

  bool may_be_shown(const std::string& name) const {
    return is_plain_name(name) && (options_.set.empty() || written_.contains(name));
  }

  void check_secrets() {
    if (!options_.secrets) return;
    SecretStore secrets(environment_.secrets, [](std::string_view) {});
    for (const auto& node : pipeline_.nodes) {
      if (!node.component) continue;
      for (const auto& use : secret_uses_in(node.component->config, node.config)) {
        if (use.name.find("${") == std::string::npos) check_secret(secrets, node, use);
      }
    }
    if (faults_.empty() && !missing_secrets_.empty()) throw MissingSecrets(missing_secrets_);
    faults_.insert(faults_.end(), missing_secrets_.begin(), missing_secrets_.end());
  }

  void check_secret(SecretStore& secrets, const Node& node, const SecretUse& use) {
    const bool shown = may_be_shown(use.name);
    try {
      secrets.resolve(use.name, shown ? use.name : kHiddenName);
    } catch (const Error& error) {
      if (error.code() != Code::kAuth && error.code() != Code::kConfig) throw;
      if (!shown) options_.on_password(use.name);
      auto& faults = error.code() == Code::kAuth ? missing_secrets_ : faults_;
      faults.push_back({document_.file, node.position,
                        shown ? error.what() : not_a_secret(use.option, error.what())});
    }
  }

  Document document_;
  const Environment& environment_;
  const Catalog& catalog_;
  const ParseOptions& options_;
  Pipeline pipeline_;
  std::set<std::string> written_;
  std::vector<Fault> faults_;
  std::vector<Fault> missing_secrets_;
};

}  // namespace

namespace {

// A pipe or a device is as good as a file.
bool is_file(const fs::path& path) { return is_there(path) && !is_folder(path); }

}  // namespace

namespace {

std::vector<std::string> pipeline_names(const Environment& environment) {
  std::vector<std::string> names;
  for (const auto& file : entries_of(environment.pipelines()))
    names.push_back(file.stem().string());
  return names;
}

}  // namespace

std::string find_pipeline(const std::string& name, const Environment& environment) {
  if (name == "-" || is_file(name)) return name;
  std::string also;
  if (!environment.local && name.find('/') == std::string::npos) {
    for (const char* suffix : {"", ".yaml", ".yml", ".json"}) {
      const fs::path file = environment.pipelines() / (name + suffix);
      if (is_file(file)) return file.string();
    }
    also = ", nor a pipeline in " + environment.pipelines().string() +
           did_you_mean(name, pipeline_names(environment));
  }
  throw Error(Code::kConfig, name + (is_folder(name) ? ": is a folder, not a pipeline file"
                                                     : ": is not there: no such file" + also));
}

Pipeline parse_pipeline(const std::string& file, const Environment& environment,
                        const Catalog& catalog, const ParseOptions& options) {
  return parse_pipeline_text(file, read_document_text(file), environment, catalog, options);
}

Pipeline parse_pipeline_text(const std::string& name, const std::string& text,
                             const Environment& environment, const Catalog& catalog,
                             const ParseOptions& options) {
  return PipelineParser(parse_document(name, text), environment, catalog, options).parse();
}

}  // namespace patchbay::host
