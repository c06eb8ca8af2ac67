// The command line: one table of verbs and flags, from which parsing, help, the manual page and
// completions are made.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

struct Flag {
  std::string_view name;   // without the dashes
  std::string_view value;  // what it takes, "ROWS"; empty = a switch
  std::string_view help;
  bool repeatable = false;
  std::string_view choices;   // "text|json"; empty = anything
  std::string_view variable;  // the environment variable behind it, or empty
};

// What a shell may offer for an argument.
enum class Words {
  kNothing,
  kFiles,
  kFolders,
  kPipelines,
  kEnvironments,
  kPlugins,
  kRuns,
  kShells,
  kVerbs
};

struct VerbSpec {
  std::string_view name;       // "run"
  std::string_view arguments;  // "PIPELINE", for help
  std::string_view summary;
  std::string_view details;
  std::vector<std::string_view> subcommands;  // "list", "show"; empty = none
  size_t min_arguments = 0;                   // after the subcommand
  size_t max_arguments = 0;
  std::vector<Flag> flags;
  std::vector<std::string_view> examples;
  Words words = Words::kNothing;  // of its arguments
};

const std::vector<Flag>& global_flags();
const std::vector<VerbSpec>& verb_specs();
const VerbSpec* find_verb(std::string_view name);

struct Arguments {
  const VerbSpec* verb = nullptr;
  std::string subcommand;
  std::vector<std::string> positional;
  std::map<std::string, std::vector<std::string>> flags;  // as given; switches have one empty value
  bool help = false;

  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::string get(const std::string& flag, const std::string& fallback = "") const;
  std::vector<std::string> all(const std::string& flag) const;
  std::vector<std::string> list(const std::string& flag) const;  // all of them, split at commas
};

// Whether --name of some verb is followed by a value.
bool takes_value(std::string_view word);

// Global flags may stand before and after the verb. Throws UsageError, with the nearest known word
// where one is near.
Arguments parse_arguments(const std::vector<std::string>& words);

// Whether the command line asks for JSON, known before it is parsed: its errors are JSON, too.
bool asks_for_json(const std::vector<std::string>& words);

// A whole number of at least `least`. Throws UsageError naming the flag.
int64_t parse_count(const std::string& flag, const std::string& text, int64_t least);

}  // namespace patchbay::host
