#include "manifest/manifest.h"

#include <json/reader.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "files/local_files.h"
#include "manifest/config_check.h"
#include "manifest/manifest_schema.h"
#include "manifest/option_schema.h"
#include "patchbay/error.h"
#include "patchbay/suggest.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(Code::kConfig, file.string() + ": " + why);
}

constexpr size_t kLargest = 16 << 20;

Json::Value parse_file(const fs::path& file) {
  const std::string text = read_regular_file(file, kLargest);
  Json::CharReaderBuilder builder;
  builder["rejectDupKeys"] = true;
  builder["allowComments"] = false;
  builder["stackLimit"] = 100;
  builder["failIfExtra"] = true;
  Json::Value root;
  std::string errors;
  try {
    const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
    if (!reader->parse(text.data(), text.data() + text.size(), &root, &errors))
      refuse(file, first_json_fault(errors));
  } catch (const Json::Exception& error) {
    refuse(file, std::string("is no manifest: ") + error.what());
  }
  return root;
}

Kind parse_kind(const std::string& name) {
  if (name == "source") return Kind::kSource;
  return name == "transform" ? Kind::kTransform : Kind::kSink;
}

ComponentManifest::Prepared parse_prepared(const std::string& name) {
  using Prepared = ComponentManifest::Prepared;
  if (name == "session") return Prepared::kSession;
  return name == "on_request" ? Prepared::kOnRequest : Prepared::kDurable;
}

ComponentManifest parse_component(const Json::Value& json) {
  ComponentManifest component;
  component.name = json["name"].asString();
  component.kind = parse_kind(json["kind"].asString());
  component.summary = json["summary"].asString();
  component.config = json.get("config", Json::objectValue);
  component.delivery = json["delivery"];
  component.folds_case = json["folds_case"].asBool();
  component.replayable = json["replayable"].asBool();
  component.at_end = json["checkpoint"].asString() == "at_end";
  component.many_inputs = json["inputs"].asString() == "many";
  component.tables_option = json["tables_option"].asString();
  component.target = json["target"];
  component.takes = json["takes"];
  component.gives = json["gives"];
  component.incremental = json["incremental"];
  component.prepared = parse_prepared(json["prepared"].asString());
  component.commits_alone = json["commits"].asString() == "alone";
  component.names_option = json["names"].asString();
  component.needs = json["needs"];
  component.references = json["references"];
  component.state = json["state"];
  for (const auto& stream : json["streams"]) component.streams.push_back(stream.asString());
  return component;
}

fs::path find_library(const fs::path& manifest, const std::string& name,
                      const std::vector<fs::path>& dirs) {
  if (name.find('/') != std::string::npos)
    refuse(manifest, "library: must be a file name without a folder");
  const fs::path beside = manifest.parent_path() / name;
  if (is_there(beside)) return whole_path(beside);
  for (const auto& dir : dirs) {
    if (is_there(dir / name)) return whole_path(dir / name);
  }
  refuse(manifest, "library: " + name + " is not there; run `apt install --reinstall " +
                       plugin_package(manifest.stem().string()) + "`");
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kSource:
      return "source";
    case Kind::kTransform:
      return "transform";
    case Kind::kSink:
      return "sink";
  }
  return "";
}

std::string_view delivery_name(Delivery delivery) {
  switch (delivery) {
    case Delivery::kTransactional:
      return "transactional";
    case Delivery::kIdempotent:
      return "idempotent";
    case Delivery::kAtLeastOnce:
      return "at_least_once";
  }
  return "";
}

std::string plugin_package(std::string id) {
  std::replace(id.begin(), id.end(), '_', '-');
  return "patchbay-plugin-" + id;
}

namespace {

// A name, or the one that an option's value decides; * is any other value.
std::string name_by_option(const Json::Value& names, const Json::Value& config) {
  if (!names.isObject()) return names.asString();
  const std::string value = config[names["option"].asString()].asString();
  return names[names.isMember(value) ? value : "*"].asString();
}

}  // namespace

std::string references_of(const ComponentManifest& component, const Json::Value& config) {
  return name_by_option(component.references, config);
}

namespace {

Flow flow_of(const std::string& name) {
  if (name == "rows") return Flow::kRows;
  return name == "objects" ? Flow::kObjects : Flow::kAny;
}

}  // namespace

Flow takes_of(const ComponentManifest& component, const Json::Value& config) {
  return flow_of(name_by_option(component.takes, config));
}

Flow gives_of(const ComponentManifest& component, const Json::Value& config) {
  return flow_of(name_by_option(component.gives, config));
}

bool needs_all(const ComponentManifest& transform, const Json::Value& config) {
  return name_by_option(transform.needs, config) == "all";
}

std::optional<std::string> incremental_by(const ComponentManifest& source,
                                          const Json::Value& config) {
  const Json::Value& says = source.incremental;
  if (says.isBool()) return says.asBool() ? std::optional<std::string>("") : std::nullopt;
  if (!says.isObject()) return std::nullopt;
  const std::string option = says["option"].asString();
  const Json::Value& value = config[option];
  const bool is = says.size() == 1 ? !value.isNull() : says[value.asString()].asBool();
  return is ? std::optional<std::string>(option) : std::nullopt;
}

Delivery delivery_of(const ComponentManifest& sink, const Json::Value& config) {
  const std::string name = name_by_option(sink.delivery, config);
  if (name == "transactional") return Delivery::kTransactional;
  return name == "idempotent" ? Delivery::kIdempotent : Delivery::kAtLeastOnce;
}

const ComponentManifest* Manifest::find(Kind kind, const std::string& name) const {
  for (const auto& component : components) {
    if (component.kind == kind && (name.empty() || component.name == name)) return &component;
  }
  return nullptr;
}

namespace {

// The options that other parts of a component's entry name must exist.
class ComponentCheck {
 public:
  ComponentCheck(const Json::Value& json, std::string name, std::vector<std::string>& faults)
      : json_(json), name_(std::move(name)), faults_(faults) {}

  void check() {
    if (json_.isMember("config")) check_option_schema(json_["config"], name_ + ".config", faults_);
    if (!faults_.empty()) return;
    options_ = json_["config"]["properties"].getMemberNames();
    if (json_.isMember("tables_option")) check_option("tables_option", json_["tables_option"]);
    for (const auto& option : json_["target"]) check_option("target", option);
    for (const char* part : {"takes", "gives", "incremental", "needs"}) {
      if (json_[part].isObject())
        check_option(std::string(part) + ".option", json_[part]["option"]);
    }
    if (json_.isMember("names")) check_option("names", json_["names"]);
    if (json_["references"].isObject())
      check_option("references.option", json_["references"]["option"]);
    if (json_["kind"].asString() == "sink") check_delivery(json_["delivery"]);
  }

 private:
  void add(const std::string& part, const std::string& why) {
    faults_.push_back(name_ + "." + part + ": " + why);
  }

  void check_option(const std::string& part, const Json::Value& option) {
    const std::string name = option.isString() ? option.asString() : "";
    if (std::find(options_.begin(), options_.end(), name) != options_.end()) return;
    add(part, "there is no option " + name + did_you_mean(name, options_));
  }

  void check_delivery(const Json::Value& delivery) {
    if (delivery.isNull()) return add("delivery", "missing, a sink needs it");
    if (delivery.isString()) return check_delivery_name("delivery", delivery);
    check_option("delivery.option", delivery["option"]);
    for (const auto& value : delivery.getMemberNames()) {
      if (value != "option") check_delivery_name("delivery." + value, delivery[value]);
    }
  }

  void check_delivery_name(const std::string& part, const Json::Value& value) {
    static const std::vector<std::string> kNames{"transactional", "idempotent", "at_least_once"};
    const std::string name = value.isString() ? value.asString() : "";
    if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return;
    add(part, "must be transactional, idempotent or at_least_once, not " + name +
                  did_you_mean(name, kNames));
  }

  const Json::Value& json_;
  std::string name_;
  std::vector<std::string>& faults_;
  std::vector<std::string> options_;
};

bool is_version(const std::string& text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) &&
         text.find_first_not_of(
             "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+~") ==
             std::string::npos;
}

std::vector<std::string> faults_of(const fs::path& file, Json::Value& root) {
  if (!root.isObject()) {
    const bool text = root.isString();
    return {"must be an object, not " + (text             ? "the text \"" + root.asString() + "\""
                                         : root.isArray() ? "a list"
                                                          : "a number or a word")};
  }
  std::vector<std::string> faults;
  for (const auto& fault : check_config(manifest_schema(), "a manifest", root))
    faults.push_back(fault.message);
  if (!faults.empty()) return faults;
  const std::string id = root["id"].asString(), stem = file.stem().string();
  if (id != stem) faults.push_back("id: must be " + stem + ", as the file's name, not " + id);
  const std::string version = root["version"].asString();
  if (!is_version(version)) faults.push_back("version: must be like 1.2.3, not " + version);
  for (Json::ArrayIndex i = 0; i < root["components"].size(); ++i) {
    ComponentCheck(root["components"][i], "components[" + std::to_string(i) + "]", faults).check();
  }
  return faults;
}

}  // namespace

Manifest read_manifest(const fs::path& file, const std::vector<fs::path>& library_dirs) {
  Json::Value root = parse_file(file);
  std::string all;
  for (const auto& fault : faults_of(file, root)) all += (all.empty() ? "" : "; ") + fault;
  if (!all.empty()) refuse(file, all);
  Manifest manifest;
  manifest.file = whole_path(file);
  manifest.id = root["id"].asString();
  manifest.version = root["version"].asString();
  manifest.abi_major = root["abi"]["major"].asUInt();
  manifest.abi_minor = root["abi"]["minor"].asUInt();
  manifest.summary = root["summary"].asString();
  manifest.documentation = root["documentation"].asString();
  manifest.license = root["license"].asString();
  manifest.homepage = root["homepage"].asString();
  manifest.uris = root["uris"];
  for (const auto& component : root["components"])
    manifest.components.push_back(parse_component(component));
  manifest.library = find_library(manifest.file, root["library"].asString(), library_dirs);
  return manifest;
}

}  // namespace patchbay::host
