#include "cli/render.h"

#include "cli/exit_codes.h"

namespace patchbay::host {

std::string usage_text(const VerbSpec& verb) {
  std::string text = "patchbay " + std::string(verb.name);
  for (size_t i = 0; i < verb.subcommands.size(); ++i) {
    text += (i == 0 ? " " : "|") + std::string(verb.subcommands[i]);
  }
  if (!verb.arguments.empty()) text += " " + std::string(verb.arguments);
  if (!verb.flags.empty()) text += " [options]";
  return text;
}

namespace {

// The name of something and, in a column of its own, what it is.
std::string entry(const std::string& name, size_t width, const std::string& meaning) {
  if (name.size() < width)
    return "  " + name + std::string(width - name.size(), ' ') + meaning + "\n";
  return "  " + name + "\n  " + std::string(width, ' ') + meaning + "\n";
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
    std::string meaning(flag.help);
    if (flag.repeatable) meaning += "; may be repeated";
    if (!flag.variable.empty()) meaning += " [" + std::string(flag.variable) + "]";
    text += entry(flag_text(flag), 30, meaning);
  }
  return text;
}

std::string verb_help(const VerbSpec& verb) {
  std::string text = "usage: " + usage_text(verb) + "\n\n" + std::string(verb.summary) + "\n";
  if (!verb.details.empty()) text += "\n" + std::string(verb.details) + "\n";
  if (!verb.flags.empty()) text += "\noptions:\n" + flag_lines(verb.flags);
  text += "\nglobal options:\n" + flag_lines(global_flags());
  for (size_t i = 0; i < verb.examples.size(); ++i) {
    text += (i == 0 ? "\nexamples:\n  " : "  ") + std::string(verb.examples[i]) + "\n";
  }
  return text;
}

// A line that begins with a point or apostrophe would be a request to roff.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else {
      if (c == '-') out += '\\';
      out += c;
    }
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

std::string roff_verb(const VerbSpec& verb) {
  std::string text = ".SS " + roff(usage_text(verb)) + "\n" + roff(verb.summary) + ".\n";
  if (!verb.details.empty()) text += roff(verb.details) + "\n";
  text += roff_flags(verb.flags);
  for (size_t i = 0; i < verb.examples.size(); ++i) {
    text += (i == 0 ? ".PP\nExamples:\n.PP\n.nf\n.RS\n" : "") + roff(verb.examples[i]) + "\n";
    if (i + 1 == verb.examples.size()) text += ".RE\n.fi\n";
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
    text += entry(std::string(one.name), 14, std::string(one.summary));
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
  for (const auto& verb : verb_specs()) text += roff_verb(verb);
  text += ".SH GLOBAL OPTIONS\n" + roff_flags(global_flags()) + ".SH EXIT STATUS\n";
  for (const auto& code : kExitCodes)
    text += ".TP\n.B " + std::to_string(code.code) + "\n" + roff(code.text) + "\n";
  return text;
}

}  // namespace patchbay::host
