#include "environment/secret_command.h"

#include "files/local_files.h"
#include "loader/trust.h"
#include "process/run_program.h"

namespace patchbay::host {
namespace {

constexpr size_t kLargest = 1 << 20;

void put_name(std::string& word, const std::string& name) {
  const std::string place = "{name}";
  for (size_t at = word.find(place); at != std::string::npos;
       at = word.find(place, at + name.size()))
    word.replace(at, place.size(), name);
}

// Why there is no secret; never what the program said.
std::string failure_of(const ProgramResult& result, std::chrono::seconds timeout) {
  switch (result.outcome) {
    case ProgramResult::Outcome::kLate:
      return "took longer than " + std::to_string(timeout.count()) +
             " s; run it by hand, or allow more with timeout:";
    case ProgramResult::Outcome::kTooLarge:
      return "printed more than 1 MiB";
    case ProgramResult::Outcome::kSignalled:
      return "was ended by signal " + std::to_string(result.code);
    case ProgramResult::Outcome::kNotStarted:
    case ProgramResult::Outcome::kCancelled:
    case ProgramResult::Outcome::kExited:
      break;
  }
  return "ended with exit code " + std::to_string(result.code) + "; run it by hand to see why";
}

}  // namespace

std::string run_secret_command(std::vector<std::string> command, const std::string& name,
                               const std::string& shown, std::chrono::seconds timeout) {
  const std::string program = command.at(0);
  for (auto& word : command) put_name(word, name);
  check_trusted(program, Trust::kRootAndOwn, UsedAs::kCode);
  const std::string subject = "secret " + shown + ": the command " + program;
  ProgramResult result = run_program(std::move(command), timeout, kLargest);
  if (result.outcome == ProgramResult::Outcome::kNotStarted)
    throw local_error(subject, result.code, "started");
  if (result.outcome == ProgramResult::Outcome::kCancelled)
    throw Error(Code::kCancelled, subject + " was ended, since patchbay was");
  if (!result.ok()) throw Error(Code::kAuth, subject + " " + failure_of(result, timeout));
  if (result.output.ends_with('\n')) result.output.pop_back();
  return std::move(result.output);
}

}  // namespace patchbay::host
