// The built program: what it prints, where, and with which exit code.
#include <gmock/gmock.h>

#include "cli/exit_codes.h"
#include "report/json_text.h"
#include "subprocess.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

using testing::HasSubstr;

class CliProgram : public testing::Test {
 protected:
  Finished run(const std::vector<std::string>& arguments) {
    return patchbay_program(arguments, folder_.path()).run();
  }

  TemporaryFolder folder_;
};

TEST_F(CliProgram, VersionNamesProgramAndAbi) {
  const Finished done = run({"version"});
  EXPECT_EQ(done.exit_code, kExitOk) << done.err;
  EXPECT_THAT(done.out, testing::MatchesRegex("patchbay [0-9.]+, plugin ABI 1\\.[0-9]+\n"));
  EXPECT_EQ(done.err, "");
}

struct Misuse {
  std::vector<std::string> arguments;
  int exit_code;
  std::string message;
};

TEST_F(CliProgram, MisuseIsOneLineThatSaysWhatToDo) {
  const std::vector<Misuse> cases{
      {{"rnu", "p.yaml"},
       kExitUsage,
       "rnu: unknown command, did you mean run? (see `patchbay help`)"},
      {{"run"}, kExitUsage, "run: needs PIPELINE; see `patchbay help run`"},
      {{"run", "a", "b"}, kExitUsage, "run: b is one argument too many; see `patchbay help run`"},
      {{"run", "a", "--ouput", "json"},
       kExitUsage,
       "--ouput: unknown option of run, did you mean --output?"},
      {{"run", "a", "--output", "yaml"},
       kExitUsage,
       "--output: must be one of text|json, not yaml"},
      {{"run", "a", "--output"}, kExitUsage, "--output: needs a value"},
      {{"--env", "a", "version", "--env", "b"}, kExitUsage, "--env: stands more than once"},
      {{"plugins"},
       kExitUsage,
       "plugins: needs one of list|show|enable|disable|verify; see `patchbay help plugins`"},
      {{"plugins", "lst"},
       kExitUsage,
       "plugins lst: unknown command, did you mean list?; see `patchbay help plugins`"},
      {{"run", "nowhere.yaml", "--env", "nosuch"}, kExitConfig, "nosuch"},
  };
  for (const auto& one : cases) {
    const Finished done = run(one.arguments);
    EXPECT_EQ(done.exit_code, one.exit_code) << one.message;
    EXPECT_EQ(done.out, "") << one.message;
    EXPECT_THAT(done.err, testing::StartsWith("patchbay: "));
    EXPECT_THAT(done.err, HasSubstr(one.message));
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
}

TEST_F(CliProgram, GlobalFlagsStandOnEitherSideOfTheVerb) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--env", "nosuch", "state", "show", "p"}, {"state", "show", "p", "--env=nosuch"}}) {
    const Finished done = run(words);
    EXPECT_EQ(done.exit_code, kExitConfig);
    EXPECT_THAT(done.err, HasSubstr("nosuch"));
  }
}

}  // namespace
}  // namespace patchbay::host
