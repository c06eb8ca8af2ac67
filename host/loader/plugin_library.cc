#include "loader/plugin_library.h"

#include <dlfcn.h>

#include <fstream>  // boost/dll/library_info.hpp of 1.74 forgets these two
#include <system_error>
#include <vector>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "files/local_files.h"
#include "loader/crash_guard.h"
#include "loader/elf_note.h"
#include "manifest/manifest.h"
#include "patchbay/error.h"
#include "patchbay/posix_error.h"

namespace patchbay::host {
namespace {

[[noreturn]] void refuse(Code code, const ExpectedPlugin& plugin, const std::string& why) {
  throw Error(code, "plugin " + plugin.id + ": " + why);
}

constexpr const char* kPluginBug = "; this is a bug of the plugin, report it to its author";

std::string package_of(const ExpectedPlugin& plugin) { return plugin_package(plugin.id); }

std::string_view text(bay_str s) { return {s.data, s.size}; }

// As they are in 1.0: a later host has longer ones, and still takes these.
constexpr size_t kComponentSize = offsetof(bay_component, sink) + sizeof(bay_component::sink);
constexpr size_t kPluginSize =
    offsetof(bay_plugin, n_components) + sizeof(bay_plugin::n_components);

bool is_whole(const bay_sink_vt& sink) {
  return BAY_HAS(&sink, bay_sink_vt, open) && BAY_HAS(&sink, bay_sink_vt, write) &&
         BAY_HAS(&sink, bay_sink_vt, prepare) && BAY_HAS(&sink, bay_sink_vt, close) &&
         BAY_HAS(&sink, bay_sink_vt, commit) && BAY_HAS(&sink, bay_sink_vt, abort);
}

void check_component(const ExpectedPlugin& plugin, const bay_component* component) {
  if (!component || component->struct_size < kComponentSize || !component->common ||
      !BAY_HAS(component->common, bay_component_vt, create) ||
      !BAY_HAS(component->common, bay_component_vt, destroy)) {
    refuse(Code::kInternal, plugin, std::string("a component's table is incomplete") + kPluginBug);
  }
  const bool reads = component->reader && BAY_HAS(component->reader, bay_reader_vt, next) &&
                     BAY_HAS(component->reader, bay_reader_vt, close);
  const bool whole = (component->kind == BAY_SOURCE && reads && component->source &&
                      BAY_HAS(component->source, bay_source_vt, plan) &&
                      BAY_HAS(component->source, bay_source_vt, open)) ||
                     (component->kind == BAY_TRANSFORM && reads && component->transform &&
                      BAY_HAS(component->transform, bay_transform_vt, open)) ||
                     (component->kind == BAY_SINK && component->sink && is_whole(*component->sink));
  if (!whole) {
    refuse(Code::kInternal, plugin,
           "component " + std::string(text(component->name)) + " lacks a required function" +
               kPluginBug);
  }
}

void check_table(const ExpectedPlugin& expected, const bay_plugin* plugin) {
  if (!plugin)
    refuse(Code::kInternal, expected,
           std::string(BAY_PLUGIN_ENTRY) + " returned no table" + kPluginBug);
  if (plugin->struct_size < kPluginSize || !plugin->components) {
    refuse(Code::kInternal, expected,
           std::string("its table is smaller than ABI 1.0 requires") + kPluginBug);
  }
  if (text(plugin->id) != expected.id) {
    refuse(Code::kInternal, expected,
           "its table names " + std::string(text(plugin->id)) + kPluginBug);
  }
  if (text(plugin->version) != expected.version) {
    refuse(Code::kConfig, expected,
           "its table says version " + std::string(text(plugin->version)) + ", its manifest " +
               expected.version + "; its package was just being upgraded, or reinstall " +
               package_of(expected));
  }
  for (size_t i = 0; i < plugin->n_components; ++i)
    check_component(expected, plugin->components[i]);
}

bay_plugin_entry find_entry(const ExpectedPlugin& expected,
                            const boost::dll::shared_library& library) {
  try {
    return &library.get<const bay_plugin*(const bay_host*)>(BAY_PLUGIN_ENTRY);
  } catch (const std::system_error&) {
    refuse(Code::kConfig, expected,
           expected.library.string() + " does not export " BAY_PLUGIN_ENTRY
                                       "; build it against the patchbay SDK");
  }
}

PluginNote note_of(const ExpectedPlugin& expected) {
  try {
    return read_plugin_note(expected.library);
  } catch (const Error& error) {
    refuse(error.code(), expected, error.what());
  }
}

// Of the linker's own words; Boost.DLL wraps them up.
std::string linker_words(const std::string& text) {
  const std::string_view before = "system message: ";
  const size_t at = text.find(before), end = text.rfind("): ");
  if (at == std::string::npos || end == std::string::npos || end < at + before.size()) return text;
  return text.substr(at + before.size(), end - at - before.size());
}

const bay_plugin* call_entry(const ExpectedPlugin& expected, bay_plugin_entry entry,
                             const bay_host* host) {
  const CrashGuard guard({expected.id, "", BAY_PLUGIN_ENTRY});
  try {
    return entry(host);
  } catch (const std::exception& error) {
    refuse(Code::kInternal, expected,
           std::string(BAY_PLUGIN_ENTRY) + " threw: " + error.what() + kPluginBug);
  }
}

}  // namespace

void check_plugin_note(const ExpectedPlugin& expected) {
  const PluginNote note = note_of(expected);
  const std::string file = expected.library.string();
  if (note.id != expected.id) {
    refuse(Code::kConfig, expected,
           "id: the manifest says " + expected.id + ", " + file + " says " + note.id +
               "; reinstall " + package_of(expected));
  }
  if (note.version != expected.version) {
    refuse(Code::kConfig, expected,
           "version: the manifest says " + expected.version + ", " + file + " says " +
               note.version + "; reinstall " + package_of(expected));
  }
  if (note.abi_major != BAY_ABI_MAJOR) {
    refuse(Code::kConfig, expected,
           "abi major: " + file + " was built for " + std::to_string(note.abi_major) +
               ", this host has " + std::to_string(BAY_ABI_MAJOR) + "; install a " +
               package_of(expected) + " that fits");
  }
  if (note.needed_minor > BAY_ABI_MINOR) {
    refuse(Code::kConfig, expected,
           "abi minor: " + file + " needs " + std::to_string(note.needed_minor) +
               " or newer, this host has " + std::to_string(BAY_ABI_MINOR) + "; upgrade patchbay");
  }
}

const bay_plugin* load_plugin(const ExpectedPlugin& expected, const bay_host* host) {
  check_plugin_note(expected);
  boost::dll::shared_library library;
  try {
    const CrashGuard guard({expected.id, "", "loading"});
    library.load(whole_path(expected.library).string(),
                 static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  } catch (const std::system_error& error) {
    const std::string words = linker_words(error.what());
    const Error found = load_error(expected.library.string(), words);
    if (found.code() != Code::kConfig) refuse(found.code(), expected, found.what());
    refuse(Code::kConfig, expected,
           "cannot be loaded: " + words + "; reinstall " + package_of(expected) +
               " and the libraries that it needs");
  }
  const bay_plugin* plugin = call_entry(expected, find_entry(expected, library), host);
  check_table(expected, plugin);
  return plugin;
}

}  // namespace patchbay::host
