// Manifests: everything that is known of a plugin without running its code.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace patchbay::host {

enum class Kind { kSource, kTransform, kSink };
std::string_view kind_name(Kind kind);  // source, transform, sink

// What goes along an edge: records, or files in chunks (patchbay.object/1). kAny: the manifest does
// not say.
enum class Flow { kAny, kRows, kObjects };

// How a sink commits.
enum class Delivery { kTransactional, kIdempotent, kAtLeastOnce };
std::string_view delivery_name(Delivery delivery);

struct ComponentManifest {
  std::string name;
  Kind kind = Kind::kSource;
  std::string summary;
  Json::Value config;  // JSON Schema draft 7 of its options
  Json::Value
      delivery;  // sinks: a name, or {"option": NAME, VALUE: name, ..} where an option decides
  bool replayable = false;  // sources: the same state gives the same rows again
  bool at_end = false;      // transforms: must see everything before they put out a row
  bool many_inputs = false;
  std::vector<std::string> streams;  // sources whose streams are fixed; empty = discovered
  std::string tables_option;         // sinks: the option that maps streams to tables
  Json::Value state;                 // sources: JSON Schema of a reader's state; null = not told
  Json::Value target;        // the options that together name the place of its tables or objects
  Json::Value takes, gives;  // a Flow's name, or {"option": NAME, VALUE: name, ..}
  // Sources: it returns only what is new since its state: true, or {"option": NAME} where setting
  // the option makes it so, or {"option": NAME, VALUE: true, ..} where a value does
  Json::Value incremental;
  bool folds_case = false;  // sinks: tables whose names differ by case are one
  // Sinks: whether what is prepared outlives the process that prepared it. On request it does where
  // the host asks for it
  enum class Prepared { kDurable, kSession, kOnRequest } prepared = Prepared::kDurable;
  // Sinks: rows of lanes side by side are judged against each other, so one lane at a time goes
  // from prepare to commit
  bool commits_alone = false;
  std::string names_option;  // the option with the template of its objects' names
  // Transforms: "all" where the result is wrong unless all rows of the inputs come; a name, or
  // {"option": NAME, VALUE: name, ..}
  Json::Value needs;
  // The system whose streams by reference it works on: a name, or {"option": NAME, VALUE: name, ..}
  Json::Value references;
};

struct Manifest {
  std::string id;
  std::string version;
  unsigned abi_major = 0;
  unsigned abi_minor = 0;
  std::filesystem::path library;  // absolute
  std::filesystem::path file;     // the manifest itself
  std::string summary, documentation, license, homepage;
  Json::Value uris;
  std::vector<ComponentManifest> components;

  const ComponentManifest* find(
      Kind kind, const std::string& name) const;  // name empty = the only one of its kind
};

// The Debian package that brings a plugin.
std::string plugin_package(std::string id);

// How the sink commits under this configuration.
Delivery delivery_of(const ComponentManifest& sink, const Json::Value& config);

Flow takes_of(const ComponentManifest& component, const Json::Value& config);
Flow gives_of(const ComponentManifest& component, const Json::Value& config);

bool needs_all(const ComponentManifest& transform, const Json::Value& config);

// The option that makes the source incremental under this configuration, "" where it always is;
// nothing where it returns everything each time.
std::optional<std::string> incremental_by(const ComponentManifest& source,
                                          const Json::Value& config);

// The system whose references it works on under this configuration; empty = it works on rows. A
// source gives such references in place of rows, a transform takes and gives nothing else, a sink
// takes them beside rows.
std::string references_of(const ComponentManifest& component, const Json::Value& config);

// Throws Error kConfig naming the file, with every fault of the manifest. The library is looked for
// beside the manifest, then in each of `library_dirs`.
Manifest read_manifest(const std::filesystem::path& file,
                       const std::vector<std::filesystem::path>& library_dirs);

}  // namespace patchbay::host
