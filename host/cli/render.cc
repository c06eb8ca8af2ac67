#include "cli/render.h"

#include "cli/exit_codes.h"
#include "patchbay/suggest.h"
#include "pipeline/fault.h"

namespace patchbay::host {
namespace {

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string flag_text(const Flag& flag) {
  std::string text = "--" + std::string(flag.name);
  if (!flag.value.empty())
    text += " " + std::string(flag.choices.empty() ? flag.value : flag.choices);
  return text;
}

std::string flag_lines(const std::vector<Flag>& flags) {
  std::string text;
  for (const auto& flag : flags) {
    text += "  " + padded(flag_text(flag), 36) + std::string(flag.help);
    if (flag.repeatable) text += "; may be repeated";
    if (!flag.variable.empty()) text += " [" + std::string(flag.variable) + "]";
    text += "\n";
  }
  return text;
}

std::string usage(const VerbSpec& verb) {
  std::string text = "patchbay " + std::string(verb.name);
  for (size_t i = 0; i < verb.subcommands.size(); ++i) {
    text += (i == 0 ? " " : "|") + std::string(verb.subcommands[i]);
  }
  if (!verb.arguments.empty()) text += " " + std::string(verb.arguments);
  if (!verb.flags.empty()) text += " [options]";
  return text;
}

std::string verb_help(const VerbSpec& verb) {
  std::string text = "usage: " + usage(verb) + "\n\n" + std::string(verb.summary) + "\n";
  if (!verb.details.empty()) text += "\n" + std::string(verb.details) + "\n";
  if (!verb.flags.empty()) text += "\noptions:\n" + flag_lines(verb.flags);
  text += "\nglobal options:\n" + flag_lines(global_flags());
  for (size_t i = 0; i < verb.examples.size(); ++i) {
    text += (i == 0 ? "\nexamples:\n  " : "  ") + std::string(verb.examples[i]) + "\n";
  }
  return text;
}

std::string words_of_verbs() {
  std::string words;
  for (const auto& verb : verb_specs())
    words += std::string(words.empty() ? "" : " ") + std::string(verb.name);
  return words;
}

std::string words_of_flags(const std::vector<Flag>& flags) {
  std::string words;
  for (const auto& flag : flags)
    words += std::string(words.empty() ? "" : " ") + "--" + std::string(flag.name);
  return words;
}

std::string bash_completion() {
  std::string text =
      "_patchbay() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} verb= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in -*) ;; *) verb=${COMP_WORDS[i]}; break ;; esac\n"
      "  done\n"
      "  local words=\n"
      "  case $verb in\n"
      "    '') words='" +
      words_of_verbs() + " " + words_of_flags(global_flags()) + "' ;;\n";
  for (const auto& verb : verb_specs()) {
    std::string words = words_of_flags(verb.flags) + " " + words_of_flags(global_flags());
    for (const auto& sub : verb.subcommands) words += " " + std::string(sub);
    text += "    " + std::string(verb.name) + ") words='" + words + "' ;;\n";
  }
  return text +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
         "}\n"
         "complete -F _patchbay patchbay\n";
}

std::string zsh_completion() {
  std::string text = "#compdef patchbay\n_patchbay() {\n  local -a verbs\n  verbs=(\n";
  for (const auto& verb : verb_specs()) {
    std::string summary(verb.summary);
    for (size_t at = summary.find('\''); at != std::string::npos; at = summary.find('\'', at + 4)) {
      summary.replace(at, 1, "'\\''");
    }
    text += "    '" + std::string(verb.name) + ":" + summary + "'\n";
  }
  text +=
      "  )\n  if (( CURRENT == 2 )); then _describe command verbs; return; fi\n  case $words[2] "
      "in\n";
  for (const auto& verb : verb_specs()) {
    std::string words = words_of_flags(verb.flags) + " " + words_of_flags(global_flags());
    for (const auto& sub : verb.subcommands) words += " " + std::string(sub);
    text += "    " + std::string(verb.name) + ") compadd -- " + words + "; _files ;;\n";
  }
  return text + "  esac\n}\n_patchbay \"$@\"\n";
}

std::string fish_completion() {
  std::string text;
  for (const auto& verb : verb_specs()) {
    const std::string name(verb.name);
    std::string summary(verb.summary);
    for (size_t at = summary.find('\''); at != std::string::npos; at = summary.find('\'', at + 2)) {
      summary.replace(at, 1, "\\'");
    }
    text += "complete -c patchbay -n __fish_use_subcommand -a " + name + " -d '" + summary + "'\n";
    for (const auto& flag : verb.flags) {
      text += "complete -c patchbay -n '__fish_seen_subcommand_from " + name + "' -l " +
              std::string(flag.name) + (flag.value.empty() ? "" : " -r") + "\n";
    }
    for (const auto& sub : verb.subcommands) {
      text += "complete -c patchbay -n '__fish_seen_subcommand_from " + name + "' -a " +
              std::string(sub) + "\n";
    }
  }
  for (const auto& flag : global_flags()) {
    text += "complete -c patchbay -l " + std::string(flag.name) +
            (flag.value.empty() ? "" : " -r") + "\n";
  }
  return text;
}

// A line that begins with a point or apostrophe would be a request to roff.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    out += c;
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string roff_flags(const std::vector<Flag>& flags) {
  std::string text;
  for (const auto& flag : flags) {
    text += ".TP\n.B " + roff(flag_text(flag)) + "\n" + roff(flag.help) + "\n";
    if (!flag.variable.empty()) text += "Environment: " + roff(flag.variable) + "\n";
  }
  return text;
}

}  // namespace

std::string help_text(const VerbSpec* verb) {
  if (verb) return verb_help(*verb);
  std::string text =
      "patchbay moves data between systems: sources, transforms and sinks, wired by a pipeline "
      "file.\n\n"
      "usage: patchbay [global options] COMMAND ...\n\ncommands:\n";
  for (const auto& one : verb_specs()) {
    text += "  " + padded(std::string(one.name), 14) + std::string(one.summary) + "\n";
  }
  text += "\nglobal options:\n" + flag_lines(global_flags());
  return text +
         "\n`patchbay help COMMAND` shows the options of one. `patchbay plugins list` shows what "
         "is installed.\n";
}

std::string manual_page() {
  std::string text =
      ".TH PATCHBAY 1\n.SH NAME\npatchbay \\- moves data between systems through plugins\n"
      ".SH SYNOPSIS\n.B patchbay\n[global options] COMMAND ...\n.SH COMMANDS\n";
  for (const auto& verb : verb_specs()) {
    text += ".SS " + roff(usage(verb)) + "\n" + roff(verb.summary) + ".\n";
    if (!verb.details.empty()) text += roff(verb.details) + "\n";
    text += roff_flags(verb.flags);
  }
  text += ".SH GLOBAL OPTIONS\n" + roff_flags(global_flags()) + ".SH EXIT STATUS\n";
  for (const auto& code : kExitCodes)
    text += ".TP\n.B " + std::to_string(code.code) + "\n" + roff(code.text) + "\n";
  return text;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  throw UsageError("completion: " + shell + " is no shell that is known" +
                   did_you_mean(shell, {"bash", "zsh", "fish"}) +
                   " (there are bash, zsh and fish)");
}

}  // namespace patchbay::host
