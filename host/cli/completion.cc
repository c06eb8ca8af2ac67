#include "cli/completion.h"

#include "cli/verbs.h"

#include "cli/invocation.h"
#include "files/local_files.h"
#include "patchbay/suggest.h"

namespace patchbay::host {
namespace {

constexpr std::string_view kBash = R"(_patchbay() {
  local line current=${COMP_WORDS[COMP_CWORD]}
  [ "$current" = = ] && current=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")
        ;;
      :folders)
        compopt -o filenames 2>/dev/null
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current")
        ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _patchbay patchbay
)";

constexpr std::string_view kZsh = R"(#compdef patchbay
_patchbay() {
  local line files
  local -a found
  while IFS= read -r line; do
    case $line in
      :files) files=-f ;;
      :folders) files=-/ ;;
      *) found+=("${${line//:/\\:}/$'\t'/:}") ;;
    esac
  done < <($words[1] __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe -t words patchbay found
  [[ -n $files ]] && _path_files $files
}
if [[ $funcstack[1] == _patchbay ]]; then _patchbay "$@"; else compdef _patchbay patchbay; fi
)";

constexpr std::string_view kFish = R"(function __patchbay_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  for line in ($before[1] __complete $before[2..-1] "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :folders
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
complete -c patchbay -f -a '(__patchbay_complete)'
)";

const std::vector<std::string> kShells{"bash", "zsh", "fish"};

Words words_of(const Flag& flag) {
  if (flag.value == "ENV") return Words::kEnvironments;
  if (flag.value == "DIR") return Words::kFolders;
  if (flag.value == "FILE") return Words::kFiles;
  return flag.name == "pipeline" ? Words::kPipelines : Words::kNothing;
}

class Completer {
 public:
  Completer(std::vector<std::string> words, SignalWatch& signals) : signals_(signals) {
    std::erase(words, "=");  // bash makes a word of it
    current_ = words.empty() ? "" : words.back();
    if (!words.empty()) words.pop_back();
    read(words);
  }

  std::string answer() {
    const size_t equals = current_.find('=');
    if (pending_) {
      offer_value(*pending_);
    } else if (current_.starts_with("--") && equals != std::string::npos) {
      prefix_ = current_.substr(0, equals + 1);
      if (const Flag* flag = find_flag(current_.substr(2, equals - 2))) offer_value(*flag);
    } else if (current_.starts_with("-")) {
      offer_flags();
    } else {
      offer_argument();
    }
    return text_;
  }

 private:
  void read(const std::vector<std::string>& words) {
    for (const auto& word : words) {
      if (pending_) {
        given_.flags[std::string(pending_->name)].push_back(word);
        pending_ = nullptr;
      } else if (word.starts_with("--")) {
        read_flag(word.substr(2));
      } else if (!given_.verb) {
        given_.verb = find_verb(word);
      } else if (!given_.verb->subcommands.empty() && given_.subcommand.empty()) {
        given_.subcommand = word;
      } else {
        given_.positional.push_back(word);
      }
    }
  }

  void read_flag(const std::string& word) {
    const size_t equals = std::min(word.find('='), word.size());
    const Flag* flag = find_flag(word.substr(0, equals));
    if (!flag) return;
    if (equals == word.size() && !flag->value.empty()) {
      pending_ = flag;
      return;
    }
    auto& values = given_.flags[std::string(flag->name)];
    if (equals < word.size()) values.push_back(word.substr(equals + 1));
  }

  const Flag* find_flag(const std::string& name) const {
    for (const auto* flags : flag_lists()) {
      for (const auto& flag : *flags) {
        if (flag.name == name) return &flag;
      }
    }
    return nullptr;
  }

  std::vector<const std::vector<Flag>*> flag_lists() const {
    std::vector<const std::vector<Flag>*> lists;
    if (given_.verb) lists.push_back(&given_.verb->flags);
    lists.push_back(&global_flags());
    return lists;
  }

  void offer(const std::string& word, std::string_view meaning = {}) {
    if (!(prefix_ + word).starts_with(current_)) return;
    if (one_line(word) != word) return;  // a shell would put it on the command line as it is
    text_ += prefix_ + word;
    if (!meaning.empty()) text_ += "\t" + one_line(meaning);
    text_ += "\n";
  }

  void offer_flags() {
    for (const auto* flags : flag_lists()) {
      for (const auto& flag : *flags) {
        if (flag.repeatable || !given_.has(std::string(flag.name)))
          offer("--" + std::string(flag.name), flag.help);
      }
    }
  }

  void offer_value(const Flag& flag) {
    for (size_t at = 0; at < flag.choices.size();) {
      const size_t end = std::min(flag.choices.find('|', at), flag.choices.size());
      offer(std::string(flag.choices.substr(at, end - at)));
      at = end + 1;
    }
    offer_words(words_of(flag));
  }

  void offer_argument() {
    if (!given_.verb) return offer_words(Words::kVerbs);
    if (!given_.verb->subcommands.empty() && given_.subcommand.empty()) {
      for (const auto& one : given_.verb->subcommands) offer(std::string(one));
      return;
    }
    if (given_.positional.size() < given_.verb->max_arguments) offer_words(given_.verb->words);
  }

  void offer_words(Words words) {
    switch (words) {
      case Words::kNothing:
        return;
      case Words::kFiles:
        text_ += ":files\n";
        return;
      case Words::kFolders:
        text_ += ":folders\n";
        return;
      case Words::kVerbs:
        for (const auto& verb : verb_specs()) offer(std::string(verb.name), verb.summary);
        return;
      case Words::kShells:
        for (const auto& shell : kShells) offer(shell);
        return;
      default:
        offer_found(words);
    }
  }

  // What is there: under the flags that already stand on the line.
  void offer_found(Words words) {
    Invocation call(given_, signals_);
    if (words == Words::kEnvironments) {
      for (const auto& name : call.environment_names()) offer(name);
    } else if (words == Words::kPlugins) {
      for (const auto& entry : call.catalog().entries())
        offer(entry.id, entry.manifest ? entry.manifest->summary : "unusable");
    } else if (words == Words::kRuns) {
      constexpr size_t kNewest = 20;
      if (!is_folder(call.environment().state_folder())) return;
      for (const auto& run : newest_runs(call, call.arguments.get("pipeline"), kNewest))
        offer(run.info.run, run.info.pipeline);
    } else {
      text_ += ":files\n";
      offer_pipelines(call.environment());
    }
  }

  void offer_pipelines(const Environment& environment) {
    if (environment.local) return;  // has files only
    for (const auto& entry : entries_of(environment.pipelines())) {
      const std::string extension = entry.extension();
      if (extension == ".yaml" || extension == ".yml" || extension == ".json")
        offer(entry.stem().string());
    }
  }

  SignalWatch& signals_;
  Arguments given_;
  const Flag* pending_ = nullptr;  // its value comes next
  std::string current_;
  std::string prefix_;  // of every offer: the flag in --flag=value
  std::string text_;
};

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  throw UsageError("completion: " + shell + " is no shell that is known" +
                   did_you_mean(shell, kShells) + " (there are bash, zsh and fish)");
}

std::string complete(std::vector<std::string> words, SignalWatch& signals) {
  return Completer(std::move(words), signals).answer();
}

}  // namespace patchbay::host
