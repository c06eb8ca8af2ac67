// Whose files are used. What is run, loaded or kept as state belongs to root or to this user, and
// nobody else can change it or put something else in its place.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace patchbay {

enum class Trust {
  kRoot,        // files of root
  kRootAndOwn,  // and of this user
};

// What a path is used as. All of it belongs to those whom `Trust` names: the file or folder, the
// folders on its way, and the links that lead to it.
enum class UsedAs {
  kCode,        // a program, a library or a configuration that names them: only its owner may write
                // to it, and to the folders on its way, unless they are sticky like /tmp
  kListedCode,  // that is found by listing its folder, which then must not even be sticky: who may
                // add a file there could add code
  kState,       // a folder or file of state: only its owner may write to it. A group may write to
                // the folders on its way, others to sticky ones
  kScratch,     // a folder in which private ones are made: as those on the way of state
};

struct Distrust {
  std::string why;      // "/srv/x.so: belongs to nobody, not to root"
  std::string owner;    // who should not own it; empty if the fault is another one
  std::string command;  // mends it: "chown root: /srv/x.so"
};

// The first fault on the way to `path`, links included; nothing where there is none. A part that is
// not there is no fault: whoever opens it says so. Symbolic links are followed here, so that a
// caller may open `path` afterwards: on a way without a fault nobody can change what it leads to.
// The host uses it for plugins, programs, environments and state; a plugin uses it for what it
// loads by itself, and for folders that the configuration names for temporary files.
// Source: CWE-379 and CWE-732, https://cwe.mitre.org/data/definitions/732.html
std::optional<Distrust> find_distrust(const std::filesystem::path& path, Trust trust, UsedAs use);

}  // namespace patchbay
