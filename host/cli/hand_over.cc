// `patchbay conformance` is a program of its own.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/verbs.h"

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
  execv(program.c_str(), argv.data());
  const int why = errno;
  throw Error(Code::kConfig,
              program + ": " +
                  (why == ENOENT ? "is not installed; run `apt install patchbay-conformance`"
                                 : std::string("cannot be started: ") + std::strerror(why)));
}

}  // namespace patchbay::host
