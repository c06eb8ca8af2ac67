#include "cli/invocation.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "files/local_files.h"
#include "loader/crash_guard.h"
#include "patchbay/posix_error.h"
#include "patchbay/suggest.h"
#include "pipeline/passwords.h"
#include "report/json_text.h"
#include "report/ulid.h"
#include "state/legacy_state.h"
#include "state/state_dir.h"

#ifndef PATCHBAY_LIBRARY_DIR
#define PATCHBAY_LIBRARY_DIR "/usr/lib/patchbay/plugins"
#endif
#ifndef PATCHBAY_MANIFEST_DIR
#define PATCHBAY_MANIFEST_DIR "/usr/share/patchbay/manifests"
#endif

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

void add_dir(PluginDirs& dirs, const fs::path& dir) {
  dirs.manifests.push_back(dir);
  dirs.libraries.push_back(dir);
}

// A build tree has manifests/ and plugins/ beside the program.
bool add_build_tree(PluginDirs& dirs) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error || !fs::is_directory(here / "manifests", error) ||
      !fs::is_directory(here / "plugins", error))
    return false;
  dirs.manifests.push_back(here / "manifests");
  dirs.libraries.push_back(here / "plugins");
  return true;
}

}  // namespace

Invocation::Invocation(Arguments given, SignalWatch& watch)
    : arguments(std::move(given)), faults(std::getenv("PATCHBAY_FAULT")), signals(watch) {}

Places Invocation::places() const {
  Places places;
  if (arguments.has("env")) {
    places.environment = arguments.get("env");
  } else {
    places.environment = variable("PATCHBAY_ENV");
  }
  places.config_dir =
      arguments.get("config-dir", variable("PATCHBAY_CONFIG_DIR").value_or("/etc/patchbay"));
  if (arguments.has("state-dir")) {
    places.state_dir = arguments.get("state-dir");
  } else if (auto dir = variable("PATCHBAY_STATE_DIR")) {
    places.state_dir = *dir;
  }
  for (const auto& dir : arguments.all("plugin-dir")) {
    if (!is_folder(dir))
      throw Error(Code::kConfig,
                  "--plugin-dir " + dir + ": is not a folder; name one that is there");
    add_dir(places.plugins, dir);
  }
  std::string listed = variable("PATCHBAY_PLUGIN_DIR").value_or("");
  for (size_t at = 0; at < listed.size();) {
    const size_t end = std::min(listed.find(':', at), listed.size());
    add_dir(places.plugins, listed.substr(at, end - at));
    at = end + 1;
  }
  if (!add_build_tree(places.plugins)) {
    places.plugins.manifests.emplace_back(PATCHBAY_MANIFEST_DIR);
    places.plugins.libraries.emplace_back(PATCHBAY_LIBRARY_DIR);
  }
  return places;
}

const Environment& Invocation::environment() {
  if (!environment_) environment_ = load_environment(places());
  return *environment_;
}

std::vector<std::string> Invocation::environment_names() const {
  std::vector<std::string> names{"local"};
  for (const auto& entry : entries_of(places().config_dir / "environments")) {
    if (is_folder(entry)) names.push_back(entry.filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path Invocation::environment_dir(const std::string& name) const {
  return places().config_dir / "environments" / name;
}

Invocation Invocation::in_environment(const std::string& name) const {
  Arguments given = arguments;
  given.flags["env"] = {name};
  return Invocation(std::move(given), signals);
}

const Catalog& Invocation::catalog() {
  if (!catalog_) catalog_.emplace(plugin_dirs());
  return *catalog_;
}

PluginDirs Invocation::plugin_dirs() const {
  const Places all = places();
  PluginDirs dirs = all.plugins;
  const bool local = !all.environment || *all.environment == "local";
  dirs.trust = local ? Trust::kRootAndOwn : Trust::kRoot;
  return dirs;
}

const fs::path& Invocation::own_state_folder() {
  const fs::path& dir = environment().state_folder();
  if (!std::exchange(state_checked_, true)) check_state(dir);
  return dir;
}

StateStore& Invocation::store(const std::string& pipeline, StateStore::Open open) {
  auto& store = states_[pipeline];
  if (store) return *store;
  const fs::path& dir = own_state_folder();
  check_records(dir, pipeline);
  if (open == StateStore::Open::kCreate) make_state_file(dir, pipeline);
  store = std::make_unique<StateStore>(dir, pipeline, faults, open);
  return *store;
}

StateStore& Invocation::state(const std::string& pipeline) {
  return store(pipeline, StateStore::Open::kCreate);
}

StateStore& Invocation::look(const std::string& pipeline) {
  return store(pipeline, StateStore::Open::kLook);
}

std::vector<std::string> Invocation::recorded_pipelines() {
  const fs::path& dir = own_state_folder();
  auto names = pipelines_with_state(dir);
  for (auto& name : legacy_pipelines(dir)) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Logger& Invocation::logger() {
  if (!logger_) {
    const std::string level =
        arguments.get("log-level", variable("PATCHBAY_LOG_LEVEL").value_or("info"));
    if (parse_log_level(level) == 0) {
      throw UsageError("PATCHBAY_LOG_LEVEL: must be one of error|warn|info|debug|trace, not " +
                       level);
    }
    const bool json = arguments.get("log-format") == "json";
    logger_ = std::make_unique<Logger>(parse_log_level(level),
                                       json ? LogFormat::kJson : LogFormat::kText, redactor);
  }
  return *logger_;
}

RunClock Invocation::clock() const {
  const auto now = std::chrono::system_clock::now();
  return {make_ulid(now), now, "UTC"};
}

ParseOptions Invocation::parse_options(const RunClock& clock) {
  return {{}, clock, [this](std::string_view password) { redactor.learn(password); }};
}

void Invocation::learn_passwords(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    for (const auto& password : passwords_in_urls(word)) redactor.learn(password);
  }
}

Pipeline Invocation::pipeline(size_t n, const RunClock& clock) {
  return pipeline_at(arguments.positional.at(n), clock);
}

Pipeline Invocation::pipeline_at(const std::string& given, const RunClock& clock) {
  ParseOptions options = parse_options(clock);
  for (const auto& setting : arguments.all("set")) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError("--set " + setting + ": must be NAME=VALUE");
    }
    options.set[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const std::string file = find_pipeline(given, environment());
  return parse_pipeline(file, environment(), catalog(), options);
}

std::string Invocation::recorded_name(size_t n) {
  const std::string& given = arguments.positional.at(n);
  const std::string name = pipeline_name_of(given);
  if (name != given) return name;
  const auto known = recorded_pipelines();
  if (std::find(known.begin(), known.end(), name) != known.end()) return name;
  try {
    find_pipeline(given, environment());
    return name;
  } catch (const Error&) {
    std::string list;
    for (const auto& one : known) list += (list.empty() ? "; there is " : ", ") + one;
    throw UsageError(given + ": there is neither such a file nor a record of such a pipeline" +
                     did_you_mean(given, known) + (known.size() > 20 ? "" : list));
  }
}

std::string Invocation::pipeline_name_of(const std::string& given) {
  std::string file;
  try {
    file = find_pipeline(given, environment());
  } catch (const Error&) {
    return given;  // the state of a pipeline outlives its file
  }
  const Document document = parse_document(file, read_document_text(file));
  const std::string stem = file == "-" ? "stdin" : fs::path(file).stem().string();
  const std::string name =
      document.root.isObject() ? document.root.get("name", stem).asString() : stem;
  if (name.find("${") != name.npos) {
    throw UsageError(given + ": its name is " + name +
                     ", another one for other values of its variables; say the name that it had, "
                     "as `patchbay runs list` shows it");
  }
  return name;
}

std::unique_ptr<SecretStore> Invocation::secrets() {
  return std::make_unique<SecretStore>(environment().secrets,
                                       [this](std::string_view value) { redactor.learn(value); });
}

void Invocation::print(const Printed& text) { write_out(redactor.redact(text.text())); }

void Invocation::print_json(const Json::Value& value) {
  write_out(safe_json(pretty_json(redactor.redact_json(value))));
}

void Invocation::print_part(const Printed& before, const Json::Value& value) {
  write_out(before.text() + safe_json(compact_json(redactor.redact_json(value))));
}

void Invocation::print_json_line(const Json::Value& value) {
  write_out(safe_json(compact_json(redactor.redact_json(value))) + "\n");
}

void Invocation::prepare_crash_report(Json::Value document) {
  if (output_ != STDOUT_FILENO) return;
  document["error"]["class"] = "internal";
  document["error"]["message"] = "@message";
  document["error"]["node"] = "@node";
  const std::string text = safe_json(pretty_json(redactor.redact_json(document)));
  const std::string_view message = "@message", node = "@node";
  const size_t first = text.find(message), second = text.find(node);
  set_crash_report({text.substr(0, first),
                    text.substr(first + message.size(), second - first - message.size()),
                    text.substr(second + node.size())});
}

void Invocation::print_to_stderr() { output_ = STDERR_FILENO; }

void Invocation::print_error(const Printed& text) {
  write_to(STDERR_FILENO, redactor.redact(text.text()));
}

void Invocation::write_out(const std::string& text) {
  printed_ = true;
  set_crash_report({});
  write_to(output_, text);
}

void Invocation::write_to(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n > 0) {
      at += static_cast<size_t>(n);
    } else if (errno == EPIPE) {
      return;  // the reader has seen enough
    } else if (errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      throw posix_error(fd == STDERR_FILENO ? "standard error" : "standard output", errno,
                        "written");
    }
  }
}

Terminal Invocation::terminal() { return Terminal::of(STDOUT_FILENO); }

}  // namespace patchbay::host
