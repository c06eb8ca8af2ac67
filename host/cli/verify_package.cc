// plugins verify FILE.deb: what installing it would change, found without running its code.
#include <algorithm>
#include <set>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "files/local_files.h"
#include "loader/plugin_library.h"
#include "manifest/config_check.h"
#include "package/plugin_package.h"
#include "process/run_program.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDpkg = "/usr/bin/dpkg";
constexpr const char* kDpkgQuery = "/usr/bin/dpkg-query";
constexpr std::chrono::seconds kPatience{60};

// Its output without the last newline; nothing where it fails.
std::optional<std::string> output_of(std::vector<std::string> words) {
  ProgramResult result = run_program(std::move(words), kPatience, 1 << 20);
  if (!result.ok()) return std::nullopt;
  if (result.output.ends_with('\n')) result.output.pop_back();
  return std::move(result.output);
}

void check_architecture(const PluginPackage& package) {
  const std::string& built_for = package.architecture();
  const auto own = output_of({kDpkg, "--print-architecture"});
  if (!own || built_for == "all" || built_for == *own) return;
  throw Error(Code::kConfig, package.file() + ": is built for " + built_for + ", this machine is " +
                                 *own + "; run `apt download " + package.name() + ":" + *own + "`");
}

struct Problem {
  std::string environment, pipeline, message;
};

class Rehearsal {
 public:
  Rehearsal(Invocation& call, const PluginPackage& package)
      : call_(call), package_(package), coming_(package.dirs()) {}

  void run() {
    if (coming_.entries().empty()) {
      throw Error(Code::kConfig, package_.file() +
                                     ": brings no plugin: usr/share/patchbay/manifests is empty; "
                                     "see `patchbay help plugins`");
    }
    for (const auto& entry : coming_.entries()) check_files(entry);
    if (!problems_.empty()) return;
    PluginDirs both = package_.dirs(), installed = call_.plugin_dirs();
    both.manifests.insert(both.manifests.end(), installed.manifests.begin(),
                          installed.manifests.end());
    both.libraries.insert(both.libraries.end(), installed.libraries.begin(),
                          installed.libraries.end());
    const Catalog after(both);
    for (const auto& name : call_.environment_names()) {
      if (name != "local") check_environment(name, after);
    }
  }

  const std::vector<Problem>& problems() const { return problems_; }
  const Catalog& coming() const { return coming_; }
  size_t pipelines() const { return pipelines_; }

 private:
  void check_files(const CatalogEntry& entry) {
    if (!entry.manifest) return problems_.push_back({"", "", entry.problem});
    try {
      check_plugin_note({entry.id, entry.manifest->version, entry.manifest->library});
    } catch (const Error& error) {
      return problems_.push_back({"", "", error.what()});
    }
    const CatalogEntry* installed = call_.catalog().find(entry.id);
    if (!installed) return;
    // "patchbay-plugin-bq: /usr/share/patchbay/manifests/bq.json"
    const auto owner = output_of({kDpkgQuery, "--search", installed->file.string()});
    const std::string name = owner ? owner->substr(0, owner->find(": ")) : package_.name();
    if (name.substr(0, name.find(':')) != package_.name())
      problems_.push_back({"", "",
                           "plugin " + entry.id + " is of the package " + name +
                               ", which is installed; run `apt remove " + name + "` first"});
  }

  void check_environment(const std::string& name, const Catalog& after) {
    Invocation in = call_.in_environment(name);
    try {
      for (const auto& file : entries_of(in.environment().pipelines()))
        check_pipeline(in, file, after);
    } catch (const Faults& faults) {
      problems_.push_back({name, "", faults.what()});
    } catch (const Error& error) {
      if (error.code() != Code::kConfig) throw;
      problems_.push_back({name, "", error.what()});
    }
  }

  // What becomes wrong with a pipeline is told; what is wrong already is none of the package's
  // business.
  void check_pipeline(Invocation& in, const fs::path& file, const Catalog& after) {
    const std::string environment = in.environment().name;
    std::set<std::string> before;
    parse(in, file, in.catalog(), [&](const Fault& fault) { before.insert(fault.text()); });
    const auto pipeline = parse(in, file, after, [&](const Fault& fault) {
      if (!before.contains(fault.text()))
        problems_.push_back({environment, file.string(), fault.text()});
    });
    if (!pipeline) return;
    const bool uses = std::any_of(pipeline->nodes.begin(), pipeline->nodes.end(),
                                  [&](const Node& node) { return is_coming(node); });
    if (!uses) return;
    ++pipelines_;
    check_states(in, *pipeline);
  }

  template <class OnFault>
  static std::optional<Pipeline> parse(Invocation& in, const fs::path& file, const Catalog& catalog,
                                       OnFault&& on_fault) {
    ParseOptions options = in.parse_options(in.clock());
    options.secrets = false;  // systemd hands them to the run alone
    try {
      return parse_pipeline(file.string(), in.environment(), catalog, options);
    } catch (const Faults& faults) {
      std::for_each(faults.all().begin(), faults.all().end(), on_fault);
    } catch (const Error& error) {
      on_fault(Fault{file.string(), {}, error.what()});
    }
    return std::nullopt;
  }

  bool is_coming(const Node& node) const { return coming_.find(node.plugin->id) != nullptr; }

  // One that `state set` made is of no node; where there is one source, it is that one's.
  static bool is_state_of(const Node& node, const SplitState& split, const Pipeline& pipeline) {
    if (split.of.node == node.id) return true;
    const auto sources = std::count_if(pipeline.nodes.begin(), pipeline.nodes.end(),
                                       [](const Node& one) { return one.kind == Kind::kSource; });
    return split.of.node.empty() && node.kind == Kind::kSource && sources == 1;
  }

  // What sources have committed must be what the new version goes on from.
  void check_states(Invocation& in, const Pipeline& pipeline) {
    std::vector<SplitState> states;
    in.look(pipeline.name).each_state([&](const SplitState& one) { states.push_back(one); });
    for (const auto& split : states) {
      for (const auto& node : pipeline.nodes) {
        if (!is_state_of(node, split, pipeline) || !is_coming(node) ||
            node.component->state.isNull() || split.state_json.empty())
          continue;
        const std::string why =
            validate_json_schema(node.component->state, parse_json_text(split.state_json));
        if (why.empty()) continue;
        problems_.push_back({in.environment().name, pipeline.file,
                             "the state of stream " + split.of.stream + ": " + why +
                                 "; see `patchbay --env " + in.environment().name + " state show " +
                                 pipeline.name + "`"});
      }
    }
  }

  Invocation& call_;
  const PluginPackage& package_;
  const Catalog coming_;
  std::vector<Problem> problems_;
  size_t pipelines_ = 0;  // that use what the package brings
};

Json::Value rehearsal_json(const PluginPackage& package, const Rehearsal& rehearsal) {
  Json::Value json;
  json["file"] = package.file();
  json["package"] = package.name();
  json["version"] = package.version();
  json["ok"] = rehearsal.problems().empty();
  json["pipelines"] = static_cast<Json::UInt64>(rehearsal.pipelines());
  json["plugins"] = json["problems"] = Json::arrayValue;
  for (const auto& id : rehearsal.coming().ids()) json["plugins"].append(id);
  for (const auto& problem : rehearsal.problems()) {
    Json::Value one;
    one["environment"] = problem.environment;
    one["pipeline"] = problem.pipeline;
    one["message"] = problem.message;
    json["problems"].append(one);
  }
  return json;
}

}  // namespace

int verify_package(Invocation& call, const fs::path& file) {
  const ScratchFolder folder;
  const SignalWatch::Scope scope(call.signals, {[&](int signal) {
                                   folder.remove();
                                   SignalWatch::quit_now(signal);
                                 }});
  const PluginPackage package(file, folder);
  check_architecture(package);
  Rehearsal rehearsal(call, package);
  rehearsal.run();
  Printed text;
  for (const auto& problem : rehearsal.problems()) {
    text.add(package.file(), ": ",
             problem.environment.empty() ? "" : "environment " + problem.environment + ": ",
             problem.message, "\n");
  }
  if (text.empty()) {
    text.add(package.name(), " ", package.version(), ": ok for ",
             std::to_string(rehearsal.pipelines()), " pipelines that use it; `apt install ",
             whole_path(package.file()).string(), "` installs it\n");
  }
  if (call.json()) {
    call.print_json(rehearsal_json(package, rehearsal));
  } else {
    call.print(text);
  }
  return rehearsal.problems().empty() ? kExitOk : kExitConfig;
}

}  // namespace patchbay::host
