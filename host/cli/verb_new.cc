// new plugin: a folder that builds, tests and packages as it stands, out of the SDK's templates.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "files/local_files.h"
#include "manifest/manifest.h"

#ifndef PATCHBAY_TEMPLATE_DIR
#define PATCHBAY_TEMPLATE_DIR "/usr/share/patchbay/templates"
#endif

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

using Substitutes =
    std::vector<std::pair<std::string, std::string>>;  // @word@ and what it stands for

void require_name(Invocation& call, const std::string& name) {
  const auto fits = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || name.size() > 60 || !std::all_of(name.begin(), name.end(), fits) ||
      name[0] < 'a' || name.back() == '-') {
    throw UsageError(
        "new plugin: a name is up to 60 small letters, digits and dashes, and begins "
        "with a letter, not '" +
        name + "'");
  }
  // What GNU make and CMake keep for themselves cannot be the name of a target.
  for (const char* taken : {"all", "clean", "help", "install", "package", "test", "patchbay"}) {
    if (name == taken)
      throw UsageError("new plugin: the name " + name + " is taken; choose another");
  }
  if (const CatalogEntry* entry = call.catalog().find(name)) {
    throw UsageError("new plugin: " + name + " is already installed (" + entry->file.string() +
                     "); choose another name");
  }
}

std::string kind_of(const Arguments& arguments) {
  std::string kind;
  for (const char* one : {"source", "transform", "sink"}) {
    if (!arguments.has(one)) continue;
    if (!kind.empty()) {
      throw UsageError("new plugin: --" + kind + " and --" + one +
                       " are two plugins; make one after the other");
    }
    kind = one;
  }
  return kind.empty() ? "source" : kind;
}

// Of a build tree, beside the program; else where libpatchbay-dev puts them.
fs::path template_dir() {
  std::error_code error;
  const fs::path built = fs::read_symlink("/proc/self/exe", error).parent_path() / "templates";
  if (!error && fs::is_directory(built, error)) return built;
  if (fs::is_directory(PATCHBAY_TEMPLATE_DIR, error)) return PATCHBAY_TEMPLATE_DIR;
  throw Error(Code::kConfig, std::string(PATCHBAY_TEMPLATE_DIR) +
                                 ": is not there; run `apt install libpatchbay-dev`");
}

std::string formatted(const char* format, std::tm time) {
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &time)};
}

// Who signs packages, as Debian's own tools know it.
std::string maintainer(const std::string& name) {
  const char* full = std::getenv("DEBFULLNAME");
  const char* email = std::getenv("DEBEMAIL");
  return (full && *full ? std::string(full) : "Maintainers of " + name) + " <" +
         (email && *email ? std::string(email) : "root@localhost") + ">";
}

Substitutes words_for(const std::string& name, const std::string& kind, const std::string& ending) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return {{"@dot@", "."},  // hidden files have no place in the SDK's own package
          {"@name@", name},
          {"@package@", plugin_package(name)},
          {"@kind@", kind},
          {"@ending@", ending},
          {"@maintainer@", maintainer(name)},
          {"@date@", formatted("%a, %d %b %Y %H:%M:%S +0000", utc)},
          {"@year@", formatted("%Y", utc)}};
}

std::string filled(std::string text, const Substitutes& words) {
  for (const auto& [word, value] : words) {
    for (size_t at = text.find(word); at != std::string::npos;
         at = text.find(word, at + value.size()))
      text.replace(at, word.size(), value);
  }
  return text;
}

void write_file(const fs::path& from, const fs::path& to, const Substitutes& words) {
  std::ifstream in(from, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  fs::create_directories(to.parent_path());
  std::ofstream out(to, std::ios::binary);
  out << filled(text, words) << std::flush;
  if (!in) throw local_error(from, errno, "read");
  if (!out) throw local_error(to, errno, "written");
  // Scripts are known by their first line: not every way here keeps the x.
  if (text.starts_with("#!"))
    fs::permissions(to, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
}

// The files of one folder of templates, without those of the other language.
void copy_templates(const fs::path& from, const fs::path& to, const std::string& other_ending,
                    const Substitutes& words, std::vector<std::string>& made) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path relative = fs::relative(entry.path(), from);
    if (!entry.is_regular_file() || relative == "@name@." + other_ending) continue;
    made.push_back(filled(relative.string(), words));
    write_file(entry.path(), to / made.back(), words);
  }
}

void print_result(Invocation& call, const std::string& name, const std::vector<std::string>& made) {
  if (call.json()) {
    Json::Value json;
    json["plugin"] = json["folder"] = name;
    for (const auto& file : made) json["files"].append(name + "/" + file);
    return call.print_json(json);
  }
  Printed text;
  for (const auto& file : made) text.add(name, "/", file, "\n");
  call.print(text.add("\nBuild and test it: cd ", name,
                      " && cmake -G Ninja -B build && cmake --build build && ctest --test-dir "
                      "build\n",
                      name, "/README.md has the rest.\n"));
}

}  // namespace

int verb_new(Invocation& call) {
  const std::string& name = call.arguments.positional.at(0);
  require_name(call, name);
  const std::string kind = kind_of(call.arguments);
  const bool c = call.arguments.get("language", "c++") == "c";
  std::error_code error;
  if (fs::exists(fs::symlink_status(name, error)))
    throw Error(Code::kConfig, name + ": is there already; move it away or choose another name");
  const fs::path templates = template_dir();
  const Substitutes words = words_for(name, kind, c ? "c" : "cc");
  std::vector<std::string> made;
  try {
    for (const char* folder : {"plugin", kind.c_str()})
      copy_templates(templates / folder, name, c ? "cc" : "c", words, made);
  } catch (const fs::filesystem_error& failure) {
    fs::remove_all(name, error);
    throw local_error(failure.path1(), failure.code().value(), "used");
  } catch (const Error&) {
    fs::remove_all(name, error);  // nothing half made
    throw;
  }
  std::sort(made.begin(), made.end());
  print_result(call, name, made);
  return kExitOk;
}

}  // namespace patchbay::host
