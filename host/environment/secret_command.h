// Secrets from a program: a password store, a vault's client.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace patchbay::host {

// What the command prints, less one trailing newline. {name} in its words becomes `name`. No shell,
// no input; what it says on stderr is dropped, since it may hold secrets. Throws Error kAuth where
// it fails, prints over 1 MiB or is not done within `timeout`, after it and its children are
// killed; local_error where it can't be started.
// Messages call it `shown`.
std::string run_secret_command(std::vector<std::string> command, const std::string& name,
                               const std::string& shown, std::chrono::seconds timeout);

}  // namespace patchbay::host
