// `patchbay conformance` is a program of its own.
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cli/verbs.h"
#include "files/local_files.h"

namespace patchbay::host {

int hand_over_to_conformance(Invocation& call) {
  std::error_code gone;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", gone).parent_path();
  const std::string program = (here / "patchbay-conformance").string();
  std::vector<std::string> words{program, call.arguments.positional.at(0)};
  if (call.arguments.has("output"))
    words.insert(words.end(), {"--output", call.arguments.get("output")});
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  call.signals.release();
  execv(program.c_str(), argv.data());
  const int why = errno;
  if (why != ENOENT) throw local_error(program, why, "started");
  throw Error(Code::kConfig,
              program + ": is not installed; run `apt install patchbay-conformance`");
}

}  // namespace patchbay::host
