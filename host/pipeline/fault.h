// What is wrong with a pipeline file: all of it, with positions.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace patchbay::host {

struct Position {
  unsigned line = 0;  // from 1; 0 = the file as a whole
  unsigned column = 0;
};

struct Fault {
  std::string file;
  Position position;
  std::string message;

  std::string text() const;  // file:line:column: message
};

// Exit code 3.
class Faults : public std::runtime_error {
 public:
  explicit Faults(std::vector<Fault> faults);
  const std::vector<Fault>& all() const { return faults_; }

 private:
  std::vector<Fault> faults_;
};

// All that is wrong is that secrets are missing or empty: exit code 4.
class MissingSecrets : public Faults {
 public:
  using Faults::Faults;
};

// A name on the command line that means nothing: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace patchbay::host
