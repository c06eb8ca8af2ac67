#include "patchbay/testing/conformance.h"

#include <algorithm>
#include <thread>

#include "patchbay/json_value.h"
#include "process_watch.h"
#include "suite.h"

namespace patchbay::test {
namespace {

std::string text(bay_str s) { return {s.data, s.size}; }

std::string kind_name(uint32_t kind) {
  return kind == BAY_SOURCE      ? "source"
         : kind == BAY_TRANSFORM ? "transform"
         : kind == BAY_SINK      ? "sink"
                                 : "component of unknown kind";
}

std::string label_of(const bay_component& component) {
  return kind_name(component.kind) + " " + text(component.name);
}

// One line per table, so that the failure names the function.
#define REQUIRE_FUNCTION(table, type, field) \
  require(BAY_HAS(table, type, field), #type " lacks " #field)

void check_reader_table(const bay_component& component) {
  require(component.reader, "has no bay_reader_vt");
  REQUIRE_FUNCTION(component.reader, bay_reader_vt, next);
  REQUIRE_FUNCTION(component.reader, bay_reader_vt, close);
}

void check_source_table(const bay_component& component) {
  check_reader_table(component);
  require(component.source, "has no bay_source_vt");
  REQUIRE_FUNCTION(component.source, bay_source_vt, plan);
  REQUIRE_FUNCTION(component.source, bay_source_vt, open);
}

void check_transform_table(const bay_component& component) {
  check_reader_table(component);
  require(component.transform, "has no bay_transform_vt");
  REQUIRE_FUNCTION(component.transform, bay_transform_vt, open);
}

void check_sink_table(const bay_component& component) {
  require(component.sink, "has no bay_sink_vt");
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, open);
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, write);
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, prepare);
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, close);
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, commit);
  REQUIRE_FUNCTION(component.sink, bay_sink_vt, abort);
}

void check_tables(const bay_component* component) {
  require(component &&
              component->struct_size >= offsetof(bay_component, sink) + sizeof(component->sink),
          "a component's table is smaller than ABI 1.0 requires");
  require(component->common, "has no bay_component_vt");
  REQUIRE_FUNCTION(component->common, bay_component_vt, create);
  REQUIRE_FUNCTION(component->common, bay_component_vt, destroy);
  if (component->kind == BAY_SOURCE) return check_source_table(*component);
  if (component->kind == BAY_TRANSFORM) return check_transform_table(*component);
  if (component->kind == BAY_SINK) return check_sink_table(*component);
  require(false, "is of unknown kind " + std::to_string(component->kind));
}

#undef REQUIRE_FUNCTION

void check_plugin_tables(const bay_plugin& plugin) {
  require(plugin.struct_size >= offsetof(bay_plugin, n_components) + sizeof(plugin.n_components),
          "its table is smaller than ABI 1.0 requires");
  require(plugin.components && plugin.n_components > 0, "it has no components");
  for (size_t i = 0; i < plugin.n_components; ++i) check_tables(plugin.components[i]);
}

void require_equal(const std::string& field, const std::string& manifest,
                   const std::string& plugin) {
  require(manifest == plugin,
          field + ": the manifest says " + manifest + ", the plugin says " + plugin);
}

std::vector<std::string> labels_of(const bay_plugin& plugin) {
  std::vector<std::string> out;
  for (size_t i = 0; i < plugin.n_components; ++i) out.push_back(label_of(*plugin.components[i]));
  return out;
}

std::string joined(std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end());
  std::string out;
  for (const auto& label : labels) out += (out.empty() ? "" : ", ") + label;
  return out;
}

std::string manifest_label(const Json::Value& component) {
  return component["kind"].asString() + " " + component["name"].asString();
}

void check_against_manifest(const bay_plugin& plugin, const Json::Value& manifest) {
  require_equal("id", manifest["id"].asString(), text(plugin.id));
  require_equal("version", manifest["version"].asString(), text(plugin.version));
  std::vector<std::string> labels;
  for (const auto& component : manifest["components"]) labels.push_back(manifest_label(component));
  require_equal("components", joined(labels), joined(labels_of(plugin)));
}

// Whether the component can be driven here: its configuration leads below the check's folder, or
// the manifest says that it needs nothing else.
bool is_self_contained(const Subject& subject) {
  const Json::Value& conformance = subject.manifest["conformance"];
  if (!conformance.isObject()) return false;
  return conformance.get("self_contained", subject.component->kind == BAY_TRANSFORM).asBool() ||
         write_json(conformance["config"]).find("${tmp}") != std::string::npos;
}

void check_component(Suite& suite, const Subject& subject) {
  check_create(suite, subject);
  check_config(suite, subject);
  if (!is_self_contained(subject)) return;
  if (subject.component->kind == BAY_SOURCE) check_source(suite, subject);
  if (subject.component->kind == BAY_TRANSFORM) check_transform(suite, subject);
  if (subject.component->kind == BAY_SINK) check_sink(suite, subject);
}

void check_components(Suite& suite, const bay_plugin& plugin, const Json::Value& manifest) {
  for (size_t i = 0; i < plugin.n_components; ++i) {
    const std::string label = label_of(*plugin.components[i]);
    for (const auto& component : manifest["components"]) {
      if (manifest_label(component) == label)
        check_component(suite,
                        {&plugin, plugin.components[i], component, label, manifest["components"]});
    }
  }
}

void check_process(Suite& suite, const ProcessState& before) {
  const ProcessState after = process_state();
  suite.check("leaves the locale alone",
              [&] { require(before.locale == after.locale, "it is now " + after.locale); });
  suite.check("leaves the working directory alone",
              [&] { require(before.folder == after.folder, "it is now " + after.folder); });
  suite.check("leaves the environment alone",
              [&] { require(before.environment == after.environment, "variables changed"); });
  suite.check("leaves signals alone",
              [&] { require(same_handlers(before, after), "signal handlers changed"); });
}

}  // namespace

std::vector<CheckResult> run_conformance(const bay_plugin& plugin, const Json::Value& manifest,
                                         std::function<void(const std::string&)> on_check) {
  Suite suite(std::move(on_check));
  suite.check("its tables are whole", [&] { check_plugin_tables(plugin); });
  if (!suite.results[0].ok) return suite.results;
  suite.check("id, version and components are the manifest's",
              [&] { check_against_manifest(plugin, manifest); });
  const ProcessState before = process_state();
  const OutputCapture output;
  std::thread([] {}).join();  // a sanitizer's own thread comes with the first
  const Handles handles = open_handles();
  check_components(suite, plugin, manifest);
  check_process(suite, before);
  suite.check("leaves no file, socket or thread behind", [&] {
    const Handles after = settled_handles(handles);
    require(after.files.size() <= handles.files.size(),
            std::to_string(after.files.size() - handles.files.size()) + " files stay open");
    require(after.threads <= handles.threads,
            std::to_string(after.threads - handles.threads) + " threads go on");
  });
  suite.check("writes nothing to stdout or stderr",
              [&] { require(output.text().empty(), "it wrote: " + output.text()); });
  return suite.results;
}

}  // namespace patchbay::test
