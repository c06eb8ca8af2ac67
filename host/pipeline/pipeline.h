// A pipeline as it runs: checked, with variables replaced and defaults filled in.
#pragma once

#include <json/value.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "environment/origin.h"
#include "manifest/manifest.h"
#include "pipeline/fault.h"

namespace patchbay::host {

enum class SchemaPolicy { kFail, kIgnore, kReject, kEvolve };
enum class Guarantee { kAtLeastOnce, kExactlyOnce };
std::string_view guarantee_name(Guarantee guarantee);

struct StreamSelection {
  std::vector<std::string> selected;  // empty = all
  std::map<std::string, std::string> renamed;
};

struct Node {
  std::string id;
  std::string use;  // as written
  std::shared_ptr<const Manifest> plugin;
  const ComponentManifest* component = nullptr;  // inside `plugin`
  Kind kind = Kind::kSource;
  Json::Value config;
  Json::Value literal;  // `with` as it is in every run: ${run.id} and the like stay as written
  std::vector<size_t> from_index;  // into Pipeline::nodes
  StreamSelection streams;
  Position position;
};

struct Commit {
  int64_t rows = 100'000;
  bool rows_given = false;  // by the pipeline
  int64_t bytes = 256 << 20;
  std::chrono::milliseconds every{60'000};
};

struct Rejects {
  int64_t max_rows = 0;
  std::optional<double> percent;  // instead of max_rows
};

struct Retry {
  uint32_t attempts = 5;
  std::chrono::milliseconds within{600'000};
  std::chrono::milliseconds delay{500};
};

struct Pipeline {
  std::string name;
  std::string description;
  std::string file;
  std::vector<Node> nodes;  // each after the nodes it reads
  Commit commit;
  SchemaPolicy on_schema_change = SchemaPolicy::kFail;
  std::optional<Guarantee> require;
  Rejects rejects;
  unsigned concurrency = 4;
  Retry retry;
  std::string timezone = "UTC";
  std::vector<NamedValue> values;  // its variables and what it has of the environment
};

}  // namespace patchbay::host
