// plugins verify FILE.deb: what installing it would change, found without running its code.
#include <stdlib.h>

#include <algorithm>
#include <set>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "loader/plugin_library.h"
#include "manifest/config_check.h"
#include "process/run_program.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDpkg = "/usr/bin/dpkg";
constexpr const char* kDpkgDeb = "/usr/bin/dpkg-deb";
constexpr const char* kDpkgQuery = "/usr/bin/dpkg-query";
constexpr std::chrono::seconds kPatience{60};

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((fs::temp_directory_path() / "patchbay-verify-XXXXXX").string()) {
    if (!mkdtemp(path_.data()))
      throw Error(Code::kUnavailable, path_ + ": cannot be made; set TMPDIR to a folder with room");
  }
  ~TemporaryFolder() {
    std::error_code gone;
    fs::remove_all(path_, gone);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path path() const { return path_; }

 private:
  std::string path_;
};

// Its output without the last newline; nothing where it fails.
std::optional<std::string> output_of(std::vector<std::string> words) {
  ProgramResult result = run_program(std::move(words), kPatience, 1 << 20);
  if (!result.ok()) return std::nullopt;
  if (result.output.ends_with('\n')) result.output.pop_back();
  return std::move(result.output);
}

// A package's file, unpacked.
class PluginPackage {
 public:
  explicit PluginPackage(const fs::path& file) : file_(file.string()) {
    if (!fs::exists(file))
      throw Error(Code::kConfig, file_ + ": is not there; download it with `apt download PACKAGE`");
    name_ = field("Package");
    version_ = field("Version");
    if (!output_of({kDpkgDeb, "--extract", file_, folder_.path().string()})) refuse();
    const std::string architecture = field("Architecture");
    const auto own = output_of({kDpkg, "--print-architecture"});
    if (own && architecture != "all" && architecture != *own)
      throw Error(Code::kConfig, file_ + ": is built for " + architecture + ", this machine is " +
                                     *own + "; run `apt download " + name_ + ":" + *own + "`");
  }

  const std::string& file() const { return file_; }
  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }

  PluginDirs dirs() const {
    PluginDirs dirs{{folder_.path() / "usr/share/patchbay/manifests"}, {}, Trust::kRootAndOwn};
    std::error_code gone;
    for (const auto& triplet : fs::directory_iterator(folder_.path() / "usr/lib", gone))
      dirs.libraries.push_back(triplet.path() / "patchbay/plugins");
    return dirs;
  }

 private:
  [[noreturn]] void refuse() const {
    throw Error(Code::kConfig,
                file_ + ": is no Debian package that " + kDpkgDeb + " can read; download it again");
  }

  std::string field(const std::string& name) const {
    const auto value = output_of({kDpkgDeb, "--field", file_, name});
    if (!value) refuse();
    return *value;
  }

  TemporaryFolder folder_;
  std::string file_, name_, version_;
};

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
      std::error_code gone;
      for (const auto& file : fs::directory_iterator(in.environment().pipelines(), gone))
        check_pipeline(in, file.path(), after);
    } catch (const Faults& faults) {
      problems_.push_back({name, "", faults.what()});
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
    ParseOptions options{{}, in.clock()};
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
  const PluginPackage package(file);
  Rehearsal rehearsal(call, package);
  rehearsal.run();
  std::string text;
  for (const auto& problem : rehearsal.problems()) {
    text += package.file() + ": " +
            (problem.environment.empty() ? "" : "environment " + problem.environment + ": ") +
            problem.message + "\n";
  }
  if (text.empty())
    text = package.name() + " " + package.version() + ": ok for " +
           std::to_string(rehearsal.pipelines()) + " pipelines that use it; `apt install " +
           fs::absolute(package.file()).string() + "` installs it\n";
  if (call.json()) {
    call.print_json(rehearsal_json(package, rehearsal));
  } else {
    call.print(text);
  }
  return rehearsal.problems().empty() ? kExitOk : kExitConfig;
}

}  // namespace patchbay::host
