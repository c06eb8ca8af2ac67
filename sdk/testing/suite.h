// Checks by name, and what they share.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "patchbay/error.h"
#include "patchbay/testing/component_driver.h"
#include "patchbay/testing/conformance.h"

namespace patchbay::test {

class Suite {
 public:
  explicit Suite(std::function<void(const std::string&)> on_check = {})
      : on_check_(std::move(on_check)) {}
  void check(const std::string& name, const std::function<void()>& work);
  std::vector<CheckResult> results;

 private:
  std::function<void(const std::string&)> on_check_;
};

struct Rule {
  std::string_view why, contract;
};
Rule rule_of(std::string_view check);  // `check` without the component; empty where none is known

// One component of the plugin with its part of the manifest.
struct Subject {
  const bay_plugin* plugin;
  const bay_component* component;
  Json::Value manifest;
  std::string label;           // "sink files"
  Json::Value all_components;  // of the plugin's manifest

  std::string name() const { return {component->name.data, component->name.size}; }
  Subject sibling(const std::string& transform) const;  // another one of the plugin
};

// A folder of its own for one check, removed with it.
class CheckFolder {
 public:
  CheckFolder();
  ~CheckFolder();
  CheckFolder(const CheckFolder&) = delete;
  CheckFolder& operator=(const CheckFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // `value` with ${tmp} in every text replaced.
  Json::Value resolve(Json::Value value) const;
  // Relative paths of what is there, without hidden files.
  std::vector<std::string> visible() const;

 private:
  std::filesystem::path path_;
};

// A complete configuration: "conformance"."config" where there is one, the schema's defaults, and
// examples for what is required.
Json::Value complete_config(const Json::Value& component_manifest, const CheckFolder& folder);

void require(bool truth, const std::string& message);  // throws kInternal

// The failure that a component may rightly have without its system; kInternal passes on, because it
// is a bug whoever reads it.
std::optional<Error> refusal_of(const std::function<void()>& work);

// Throws unless `work` is done within a second.
void require_prompt(const std::function<void()>& work);

void check_config(Suite& suite, const Subject& subject);
void check_create(Suite& suite, const Subject& subject);
void check_source(Suite& suite, const Subject& subject);
void check_transform(Suite& suite, const Subject& subject);
void check_sink(Suite& suite, const Subject& subject);

}  // namespace patchbay::test
