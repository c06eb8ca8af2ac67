#include "simulation/places.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <sstream>

namespace patchbay::simulation {
namespace {

// Names and lines of addresses, by the tool that reads debug information; empty without it.
std::string lines_of(const std::string& addresses) {
  const std::string command = "addr2line -C -f -s -e /proc/" + std::to_string(getpid()) + "/exe" +
                              addresses + " 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string text;
  char buffer[4096];
  while (pipe && fgets(buffer, sizeof buffer, pipe.get())) text += buffer;
  return text;
}

}  // namespace

std::string frames_here() {
  constexpr int kFrames = 24, kOwn = 2;
  void* frames[kFrames];
  const int n = backtrace(frames, kFrames);
  std::ostringstream addresses;
  for (int i = kOwn; i < n; ++i) {
    Dl_info info{};
    if (dladdr(frames[i], &info) == 0) continue;
    addresses << " 0x" << std::hex
              << static_cast<char*>(frames[i]) - static_cast<char*>(info.dli_fbase) - 1;
  }
  std::istringstream lines(lines_of(addresses.str()));
  std::string text, name, line;
  while (std::getline(lines, name) && std::getline(lines, line)) {
    if (name.starts_with("patchbay::host::") && name.find("sync::") == std::string::npos)
      text += "\n      " + name.substr(0, name.find('(')) + " " + line;
  }
  return text;
}

}  // namespace patchbay::simulation
