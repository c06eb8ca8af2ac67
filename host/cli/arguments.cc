#include "cli/arguments.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>

#include "cli/verb_table.h"
#include "patchbay/suggest.h"
#include "pipeline/fault.h"

namespace patchbay::host {
namespace {

namespace po = boost::program_options;

std::vector<std::string> flag_names(const VerbSpec* verb) {
  std::vector<std::string> names;
  for (const auto& flag : kGlobalFlags) names.push_back("--" + std::string(flag.name));
  for (size_t i = 0; verb && i < verb->flags.size(); ++i)
    names.push_back("--" + std::string(verb->flags[i].name));
  return names;
}

// The first word that is neither a flag nor a flag's value.
size_t verb_position(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("-")) return i;
    if (takes_value(words[i])) ++i;
  }
  return words.size();
}

const VerbSpec& require_verb(const std::string& word) {
  if (const VerbSpec* verb = find_verb(word)) return *verb;
  std::vector<std::string> names;
  for (const auto& verb : kVerbs) names.emplace_back(verb.name);
  throw UsageError(word + ": unknown command" + did_you_mean(word, names) +
                   " (see `patchbay help`)");
}

void add_flags(po::options_description& options, const std::vector<Flag>& flags) {
  for (const auto& flag : flags) {
    const std::string name(flag.name);
    if (flag.value.empty()) {
      options.add_options()((name == "help" ? "help,h" : name).c_str(), "");
    } else {
      options.add_options()(name.c_str(), po::value<std::vector<std::string>>());
    }
  }
}

void check_choice(const Flag& flag, const std::vector<std::string>& values) {
  const std::string name = "--" + std::string(flag.name);
  if (!flag.repeatable && values.size() > 1) throw UsageError(name + ": stands more than once");
  const bool empty = std::find(values.begin(), values.end(), "") != values.end();
  if (flag.value == "DIR" && empty) throw UsageError(name + ": is empty; name a folder");
  if (flag.choices.empty()) return;
  const std::string choices = "|" + std::string(flag.choices) + "|";
  for (const auto& value : values) {
    if (value.empty() || choices.find("|" + value + "|") == std::string::npos) {
      throw UsageError(name + ": must be one of " + std::string(flag.choices) + ", not " + value);
    }
  }
}

void take_flags(const po::parsed_options& parsed, Arguments& arguments) {
  for (const auto& option : parsed.options) {
    if (option.position_key >= 0) {
      arguments.positional.insert(arguments.positional.end(), option.value.begin(),
                                  option.value.end());
    } else {
      auto& values = arguments.flags[option.string_key];
      values.insert(values.end(), option.value.begin(), option.value.end());
    }
  }
  for (const auto* flags : {&kGlobalFlags, &arguments.verb->flags}) {
    for (const auto& flag : *flags) check_choice(flag, arguments.all(std::string(flag.name)));
  }
}

void check_positional(Arguments& arguments) {
  const VerbSpec& verb = *arguments.verb;
  const std::string usage = "; see `patchbay help " + std::string(verb.name) + "`";
  if (!verb.subcommands.empty()) {
    std::vector<std::string> known(verb.subcommands.begin(), verb.subcommands.end());
    if (arguments.positional.empty()) {
      std::string list;
      for (const auto& one : known) list += (list.empty() ? "" : "|") + one;
      throw UsageError(std::string(verb.name) + ": needs one of " + list + usage);
    }
    arguments.subcommand = arguments.positional[0];
    arguments.positional.erase(arguments.positional.begin());
    if (std::find(known.begin(), known.end(), arguments.subcommand) == known.end()) {
      throw UsageError(std::string(verb.name) + " " + arguments.subcommand + ": unknown command" +
                       did_you_mean(arguments.subcommand, known) + usage);
    }
  }
  const size_t n = arguments.positional.size();
  if (n < verb.min_arguments)
    throw UsageError(std::string(verb.name) + ": needs " + std::string(verb.arguments) + usage);
  if (n > verb.max_arguments) {
    throw UsageError(std::string(verb.name) + ": " + arguments.positional[verb.max_arguments] +
                     " is one argument too many" + usage);
  }
}

}  // namespace

const std::vector<Flag>& global_flags() { return kGlobalFlags; }
const std::vector<VerbSpec>& verb_specs() { return kVerbs; }

bool takes_value(std::string_view word) {
  const auto is = [&](const Flag& flag) {
    return "--" + std::string(flag.name) == word && !flag.value.empty();
  };
  if (std::any_of(kGlobalFlags.begin(), kGlobalFlags.end(), is)) return true;
  return std::any_of(kVerbs.begin(), kVerbs.end(), [&](const VerbSpec& verb) {
    return std::any_of(verb.flags.begin(), verb.flags.end(), is);
  });
}

const VerbSpec* find_verb(std::string_view name) {
  for (const auto& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

std::string Arguments::get(const std::string& flag, const std::string& fallback) const {
  const auto found = flags.find(flag);
  return found == flags.end() || found->second.empty() ? fallback : found->second.back();
}

std::vector<std::string> Arguments::list(const std::string& flag) const {
  std::vector<std::string> out;
  for (const auto& value : all(flag)) {
    for (size_t at = 0; at <= value.size();) {
      const size_t end = std::min(value.find(',', at), value.size());
      if (end > at) out.push_back(value.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

std::vector<std::string> Arguments::all(const std::string& flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  std::vector<std::string> rest = words;
  const size_t at = verb_position(words);
  if (at == words.size()) {
    const bool version = std::find(words.begin(), words.end(), "--version") != words.end();
    arguments.verb = find_verb(version ? "version" : "help");
    rest.erase(std::remove(rest.begin(), rest.end(), "--version"), rest.end());
  } else {
    arguments.verb = &require_verb(words[at]);
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  }
  po::options_description options;
  add_flags(options, kGlobalFlags);
  add_flags(options, arguments.verb->flags);
  options.add_options()("argument", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("argument", -1);
  try {
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    take_flags(
        po::command_line_parser(rest).options(options).positional(positional).style(style).run(),
        arguments);
  } catch (const po::unknown_option& error) {
    // The value behind = may be meant to be secret.
    const std::string name = error.get_option_name().substr(0, error.get_option_name().find('='));
    throw UsageError(name + ": unknown option of " + std::string(arguments.verb->name) +
                     did_you_mean(name, flag_names(arguments.verb)));
  } catch (const po::error_with_option_name& error) {
    const std::string& name = error.get_option_name();
    const bool switch_with_value = !takes_value(name);
    throw UsageError(name + (switch_with_value ? ": takes no value" : ": needs a value"));
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
  arguments.help = arguments.has("help");
  if (!arguments.help) check_positional(arguments);
  return arguments;
}

bool asks_for_json(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--output=json") return true;
    if (words[i] == "--output" && i + 1 < words.size() && words[i + 1] == "json") return true;
  }
  return false;
}

int64_t parse_count(const std::string& flag, const std::string& text, int64_t least) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    throw UsageError("--" + flag + ": must be a whole number of at least " + std::to_string(least) +
                     ", not " + text);
  }
  return value;
}

}  // namespace patchbay::host
