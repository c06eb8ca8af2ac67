#include "cli/reference.h"

#include "cli/arguments.h"
#include "cli/exit_codes.h"
#include "cli/option_text.h"
#include "cli/render.h"
#include "pipeline/guarantee.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

// A cell of a table: bars would end it.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& one : cells) text += " " + one + " |";
  return text + "\n";
}

std::string examples_of(const Json::Value& schema) {
  std::string text;
  for (const auto& one : schema["examples"])
    text += (text.empty() ? "; for example " : ", ") + code(compact_json(one));
  return text;
}

std::string options_table(const ComponentManifest& component) {
  const std::vector<OptionText> options = options_of(component);
  if (options.empty()) return "It has no options.\n";
  std::string text =
      row({"option", "type", "default", "meaning"}) + row({"---", "---", "---", "---"});
  for (const auto& option : options) {
    const bool required = option.fallback == "required";
    text += row({code(option.name), cell(option.type),
                 required ? option.fallback : code(option.fallback),
                 cell(option.meaning) + examples_of(component.config["properties"][option.name])});
  }
  return text;
}

std::string delivery_text(const Json::Value& delivery) {
  if (delivery.isString()) return "Delivery: " + delivery.asString() + ".\n\n";
  if (!delivery.isObject()) return "";
  std::string text;
  for (const auto& value : delivery.getMemberNames()) {
    if (value == "option" || value == "*") continue;
    text += (text.empty() ? "Delivery: " : ", ") + delivery[value].asString() + " with " +
            code(delivery["option"].asString() + ": " + value);
  }
  if (delivery.isMember("*")) text += ", " + delivery["*"].asString() + " otherwise";
  return text + ".\n\n";
}

std::string component_section(const Manifest& manifest, const ComponentManifest& component) {
  const bool only = component.name == manifest.id;
  std::string text = "## " + std::string(kind_name(component.kind)) + " `" + manifest.id +
                     (only ? "" : "." + component.name) + "`\n\n";
  if (!component.summary.empty()) text += component.summary + ".\n\n";
  if (component.kind == Kind::kSink) text += delivery_text(component.delivery);
  if (component.kind == Kind::kSource && !component.replayable)
    text += "Its rows cannot be read again from a state.\n\n";
  if (component.at_end) text += "It sees everything before it puts out a row.\n\n";
  std::string streams;
  for (const auto& stream : component.streams)
    streams += (streams.empty() ? "" : ", ") + code(stream);
  if (!streams.empty()) text += "Streams: " + streams + ".\n\n";
  return text + options_table(component) + "\n";
}

std::string copy_text(const Json::Value& uris) {
  std::string text;
  for (const auto& scheme : uris["schemes"])
    text += (text.empty() ? "" : ", ") + code(scheme.asString() + ":");
  for (const char* kind : {"endings", "wrappers"}) {
    if (!uris[kind].isObject()) continue;
    for (const auto& ending : uris[kind].getMemberNames())
      text += (text.empty() ? "" : ", ") + code(ending);
  }
  return text.empty() ? "" : "`patchbay copy` knows it by " + text + ".\n\n";
}

std::string flags_table(const std::vector<Flag>& flags) {
  std::string text = row({"option", "meaning"}) + row({"---", "---"});
  for (const auto& flag : flags) {
    std::string name = "--" + std::string(flag.name);
    if (!flag.value.empty())
      name += " " + std::string(flag.choices.empty() ? flag.value : flag.choices);
    std::string meaning(flag.help);
    if (flag.repeatable) meaning += "; may be repeated";
    if (!flag.variable.empty()) meaning += "; environment variable " + std::string(flag.variable);
    text += row({code(name), cell(meaning)});
  }
  return text;
}

}  // namespace

std::string plugin_reference(const Manifest& manifest) {
  std::string text = "# " + manifest.id + "\n\n" + manifest.summary + ".\n\n";
  if (!manifest.documentation.empty()) text += manifest.documentation + "\n\n";
  text += copy_text(manifest.uris);
  for (const auto& component : manifest.components) text += component_section(manifest, component);
  text.pop_back();
  return text;
}

std::string command_reference() {
  std::string text = "# patchbay\n\nOptions of all commands:\n\n" + flags_table(global_flags());
  for (const auto& verb : verb_specs()) {
    text += "\n## " + std::string(verb.name) + "\n\n`" + usage_text(verb) +
            "`: " + std::string(verb.summary) + ".\n";
    if (!verb.details.empty()) text += "\n" + std::string(verb.details) + "\n";
    if (!verb.flags.empty()) text += "\n" + flags_table(verb.flags);
    for (size_t i = 0; i < verb.examples.size(); ++i)
      text += (i == 0 ? "\n```\n" : "") + std::string(verb.examples[i]) + "\n";
    if (!verb.examples.empty()) text += "```\n";
  }
  text += "\n## Rules of the guarantee\n\n" + row({"rule", "where", "then", "instead"}) +
          row({"---", "---", "---", "---"});
  for (const auto& rule : guarantee_rules()) {
    text += row({rule.name, cell(rule.when),
                 rule.effect == RuleEffect::kLimits ? "`at_least_once`" : "refused",
                 cell(rule.instead)});
  }
  text += "\n## Exit codes\n\n" + row({"code", "meaning"}) + row({"---", "---"});
  for (const auto& one : kExitCodes)
    text += row({std::to_string(one.code), cell(std::string(one.text))});
  return text;
}

}  // namespace patchbay::host
