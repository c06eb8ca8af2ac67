// plugins list, show, enable, disable, verify.
#include <map>

#include "cli/exit_codes.h"
#include "cli/option_text.h"
#include "cli/reference.h"
#include "cli/verbs.h"
#include "engine/call.h"
#include "loader/plugin_library.h"
#include "patchbay/suggest.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

const CatalogEntry& require_plugin(Invocation& call, const std::string& id) {
  if (const CatalogEntry* entry = call.catalog().find(id)) return *entry;
  const std::string meant = did_you_mean(id, call.catalog().ids());
  throw UsageError(
      "plugins: there is no plugin " + id +
      (meant.empty() ? "; `apt install " + plugin_package(id) + "` may bring it" : meant) +
      " (see `patchbay plugins list`)");
}

const std::vector<std::string>& require_ids(const Invocation& call) {
  if (call.arguments.positional.empty())
    throw UsageError("plugins " + call.arguments.subcommand + ": needs the plugin's id");
  return call.arguments.positional;
}

// Unusable for a reason that its files or the environment's show, without running its code.
std::string problem_of(Invocation& call, const CatalogEntry& entry) {
  if (!entry.manifest) return entry.problem;
  try {
    check_plugin_note({entry.id, entry.manifest->version, entry.manifest->library});
    return call.environment().refusal(*entry.manifest);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw;  // a limit is no fault of the plugin
    return error.what();
  } catch (const Faults& faults) {
    return faults.what();
  }
}

std::string components_text(const Manifest& manifest) {
  std::string text;
  for (const auto& component : manifest.components) {
    text += (text.empty() ? "" : ", ") + std::string(kind_name(component.kind));
    if (component.name != manifest.id) text += " " + component.name;
  }
  return text;
}

// Which environments have a plugin in their plugins.d.
using EnabledIn = std::map<std::string, std::vector<std::string>>;

EnabledIn enabled_in(const Invocation& call) {
  EnabledIn where;
  for (const auto& name : call.environment_names()) {
    if (name == "local") continue;
    Environment environment;
    environment.dir = call.environment_dir(name);
    for (const auto& id : environment.enabled_plugins()) where[id].push_back(name);
  }
  return where;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Json::Value entry_json(Invocation& call, const CatalogEntry& entry, const EnabledIn& where) {
  Json::Value json;
  json["id"] = entry.id;
  json["installed"] = true;
  json["enabled"] = call.environment().enabled(entry.id);
  json["enabled_in"] = Json::arrayValue;
  if (const auto found = where.find(entry.id); found != where.end()) {
    for (const auto& name : found->second) json["enabled_in"].append(name);
  }
  if (const auto file = call.environment().enabled_by(entry.id); !file.empty())
    json["enabled_by"] = file.string();
  const std::string problem = problem_of(call, entry);
  json["usable"] = problem.empty();
  if (!problem.empty()) json["problem"] = problem;
  json["manifest"] = entry.file.string();
  json["package"] = plugin_package(entry.id);
  for (const auto& file : entry.hidden) json["hidden"].append(file.string());
  if (!entry.manifest) return json;
  json["version"] = entry.manifest->version;
  json["summary"] = entry.manifest->summary;
  json["library"] = entry.manifest->library.string();
  json["components"] = Json::arrayValue;
  for (const auto& component : entry.manifest->components) {
    Json::Value one;
    one["name"] = component.name;
    one["kind"] = std::string(kind_name(component.kind));
    json["components"].append(one);
  }
  return json;
}

// Enabled, but no package brings it.
Json::Value missing_json(Invocation& call, const std::string& id,
                         const std::vector<std::string>& environments) {
  Json::Value json;
  json["id"] = id;
  json["installed"] = false;
  json["enabled"] = call.environment().enabled(id);
  for (const auto& name : environments) json["enabled_in"].append(name);
  json["usable"] = false;
  json["package"] = plugin_package(id);
  json["problem"] = "plugin " + id + " is enabled in " + joined(environments) +
                    ", but not installed; run `apt install " + plugin_package(id) + "`";
  return json;
}

int list(Invocation& call) {
  if (!call.arguments.positional.empty())
    throw UsageError("plugins list: takes no argument; see `patchbay plugins show " +
                     call.arguments.positional[0] + "`");
  const EnabledIn where = enabled_in(call);
  Json::Value json(Json::arrayValue);
  Table table({"plugin", "version", "components", "state", "enabled in", "summary"});
  Printed remarks;
  for (const auto& entry : call.catalog().entries()) {
    const Json::Value one = entry_json(call, entry, where);
    json.append(one);
    const auto environments = where.find(entry.id);
    table.add({entry.id, entry.manifest ? entry.manifest->version : "",
               entry.manifest ? components_text(*entry.manifest) : "",
               !one["usable"].asBool()   ? "unusable"
               : one["enabled"].asBool() ? "enabled"
                                         : "not enabled",
               environments == where.end() ? "" : joined(environments->second),
               entry.manifest ? entry.manifest->summary : ""});
    if (one.isMember("problem")) remarks.add("unusable: ", one["problem"].asString(), "\n");
    for (const auto& file : entry.hidden)
      remarks.add("hidden: ", file.string(), " by ", entry.file.string(), "\n");
  }
  for (const auto& [id, environments] : where) {
    if (call.catalog().find(id)) continue;
    json.append(missing_json(call, id, environments));
    table.add({id, "", "", "missing", joined(environments), ""});
    remarks.add("missing: ", json[json.size() - 1]["problem"].asString(), "\n");
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(table.text(Invocation::terminal()).add(remarks));
  }
  return kExitOk;
}

Printed options_text(const ComponentManifest& component) {
  Table table({"option", "type", "default", "meaning"});
  const std::vector<OptionText> options = options_of(component);
  for (const auto& option : options)
    table.add({option.name, option.type, option.fallback, option.meaning});
  return options.empty() ? Printed("no options\n") : table.text({});
}

std::string enabling_place(Invocation& call, const CatalogEntry& entry) {
  const auto file = call.environment().enabled_by(entry.id);
  return file.empty() ? "" : " (" + file.string() + ")";
}

int show(Invocation& call) {
  if (require_ids(call).size() > 1)
    throw UsageError("plugins show: takes one id, not also " + call.arguments.positional[1]);
  const CatalogEntry& entry = require_plugin(call, call.arguments.positional[0]);
  if (call.json()) {
    Json::Value json = entry_json(call, entry, enabled_in(call));
    for (Json::ArrayIndex i = 0; entry.manifest && i < json["components"].size(); ++i) {
      const ComponentManifest& component = entry.manifest->components[i];
      json["components"][i]["summary"] = component.summary;
      json["components"][i]["config"] = component.config;
    }
    call.print_json(json);
    return kExitOk;
  }
  if (call.arguments.get("output") == "markdown" && entry.manifest) {
    call.print(Printed::lines(plugin_reference(*entry.manifest)));
    return kExitOk;
  }
  const std::string problem = problem_of(call, entry);
  Printed text(entry.id);
  if (entry.manifest) text.add(" ", entry.manifest->version, ": ", entry.manifest->summary);
  const std::string& environment = call.environment().name;
  text.add("\n", !problem.empty() ? "unusable: " + problem
                 : call.environment().enabled(entry.id)
                     ? "enabled in " + environment + enabling_place(call, entry)
                     : "not enabled in " + environment + "; run `patchbay plugins enable " +
                           entry.id + " --env " + environment + "`");
  text.add("\n");
  if (entry.manifest) {
    if (!entry.manifest->documentation.empty())
      text.add("\n", Printed::lines(entry.manifest->documentation), "\n");
    for (const auto& component : entry.manifest->components) {
      text.add("\n", kind_name(component.kind), " ", entry.id, ".", component.name,
               component.summary.empty() ? "" : ": " + component.summary, "\n",
               options_text(component));
    }
  }
  call.print(text);
  return kExitOk;
}

int verify(Invocation& call) {
  const std::vector<std::string>& given = call.arguments.positional;
  if (!given.empty() && given[0].ends_with(".deb")) {
    if (given.size() > 1)
      throw UsageError("plugins verify: takes one package at a time, not also " + given[1]);
    return verify_package(call, given[0]);
  }
  std::vector<const CatalogEntry*> entries;
  for (const auto& id : given) entries.push_back(&require_plugin(call, id));
  if (given.empty()) {
    for (const auto& entry : call.catalog().entries()) entries.push_back(&entry);
  }
  int exit_code = kExitOk;
  Json::Value json(Json::arrayValue);
  Printed text;
  for (const auto* entry : entries) {
    std::string problem = entry->problem;
    try {
      if (entry->manifest)
        load_plugin({entry->id, entry->manifest->version, entry->manifest->library}, host_table());
    } catch (const Error& error) {
      if (error.code() == Code::kUnavailable) throw;
      problem = error.what();
    }
    Json::Value one;
    one["id"] = entry->id;
    one["ok"] = problem.empty();
    if (!problem.empty()) one["problem"] = problem;
    json.append(one);
    text.add(entry->id, ": ", problem.empty() ? "ok" : problem, "\n");
    if (!problem.empty()) exit_code = kExitConfig;
  }
  if (call.json()) {
    call.print_json(json);
  } else {
    call.print(text);
  }
  return exit_code;
}

// All of them or, where a name is wrong, none.
int switch_plugins(Invocation& call, bool on) {
  const std::vector<std::string>& ids = require_ids(call);
  const Environment& environment = call.environment();
  for (const auto& id : ids) {
    // What is enabled may be taken out though it is no longer installed.
    const bool goes = !on && !environment.local && environment.enabled(id);
    if (!goes) require_plugin(call, id);
  }
  Json::Value json(Json::arrayValue);
  Printed text;
  for (const auto& id : ids) {
    if (on) {
      enable_plugin(environment, require_plugin(call, id));
    } else {
      disable_plugin(environment, id);
    }
    Json::Value one;
    one["id"] = id;
    one["environment"] = environment.name;
    one["enabled"] = on;
    json.append(one);
    text.add(id, on ? ": enabled in " : ": disabled in ", environment.name, "\n");
  }
  if (call.json()) {
    call.print_json(ids.size() == 1 ? json[0] : json);
  } else {
    call.print(text);
  }
  return kExitOk;
}

}  // namespace

int verb_plugins(Invocation& call) {
  const std::string& verb = call.arguments.subcommand;
  if (verb == "list") return list(call);
  if (verb == "show") return show(call);
  if (verb == "verify") return verify(call);
  return switch_plugins(call, verb == "enable");
}

}  // namespace patchbay::host
