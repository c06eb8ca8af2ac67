#include "manifest/manifest.h"

#include <json/reader.h>

#include <fstream>
#include <sstream>

#include "manifest/config_check.h"
#include "manifest/manifest_schema.h"
#include "patchbay/error.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(Code::kConfig, file.string() + ": " + why);
}

Json::Value parse_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse(file, "cannot be read");
  Json::CharReaderBuilder builder;
  builder["rejectDupKeys"] = true;
  builder["allowComments"] = false;
  builder["stackLimit"] = 100;
  Json::Value root;
  std::string errors;
  try {
    if (!Json::parseFromStream(builder, in, &root, &errors)) {
      while (!errors.empty() && errors.back() == '\n') errors.pop_back();
      refuse(file, "is no JSON: " + errors);
    }
  } catch (const Json::Exception& error) {
    refuse(file, std::string("is no JSON: ") + error.what());
  }
  return root;
}

Kind parse_kind(const std::string& name) {
  if (name == "source") return Kind::kSource;
  return name == "transform" ? Kind::kTransform : Kind::kSink;
}

ComponentManifest parse_component(const Json::Value& json) {
  ComponentManifest component;
  component.name = json["name"].asString();
  component.kind = parse_kind(json["kind"].asString());
  component.summary = json["summary"].asString();
  component.config = json.get("config", Json::objectValue);
  component.delivery = json["delivery"];
  component.replayable = json["replayable"].asBool();
  component.at_end = json["checkpoint"].asString() == "at_end";
  component.many_inputs = json["inputs"].asString() == "many";
  component.tables_option = json["tables_option"].asString();
  component.target = json["target"];
  for (const auto& stream : json["streams"]) component.streams.push_back(stream.asString());
  return component;
}

fs::path find_library(const fs::path& manifest, const std::string& name,
                      const std::vector<fs::path>& dirs) {
  if (name.find('/') != std::string::npos)
    refuse(manifest, "library: must be a file name without a folder");
  const fs::path beside = manifest.parent_path() / name;
  if (fs::exists(beside)) return fs::absolute(beside);
  for (const auto& dir : dirs) {
    if (fs::exists(dir / name)) return fs::absolute(dir / name);
  }
  refuse(manifest, "library: " + name + " is not there; reinstall the plugin's package");
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

Delivery delivery_of(const ComponentManifest& sink, const Json::Value& config) {
  std::string name = sink.delivery.isString() ? sink.delivery.asString() : "";
  if (sink.delivery.isObject()) {
    name = sink.delivery[config[sink.delivery["option"].asString()].asString()].asString();
  }
  if (name == "transactional") return Delivery::kTransactional;
  return name == "idempotent" ? Delivery::kIdempotent : Delivery::kAtLeastOnce;
}

const ComponentManifest* Manifest::find(Kind kind, const std::string& name) const {
  for (const auto& component : components) {
    if (component.kind == kind && (name.empty() || component.name == name)) return &component;
  }
  return nullptr;
}

Manifest read_manifest(const fs::path& file, const std::vector<fs::path>& library_dirs) {
  Json::Value root = parse_file(file);
  const auto faults = check_config(manifest_schema(), "a manifest", root);
  if (!faults.empty()) {
    std::string all;
    for (const auto& fault : faults) all += (all.empty() ? "" : "; ") + fault.message;
    refuse(file, all);
  }
  Manifest manifest;
  manifest.file = fs::absolute(file);
  manifest.id = root["id"].asString();
  if (manifest.id != file.stem().string()) {
    refuse(file,
           "id: must be " + file.stem().string() + ", as the file's name, not " + manifest.id);
  }
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
