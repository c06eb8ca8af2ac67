// environments/<name>/: its file, what is enabled, and secrets.
#include "environment/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "environment/version_range.h"
#include "patchbay/error.h"
#include "pipeline/fault.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    unsetenv("CREDENTIALS_DIRECTORY");
    folder_.write("plugins/csv.so", "");
    folder_.write(
        "plugins/csv.json",
        R"({"id": "csv", "version": "1.2.0", "abi": {"major": 1, "minor": 0}, "library": "csv.so",
                  "summary": "s", "components": [{"name": "csv", "kind": "source"}]})");
    folder_.write("plugins/broken.json", "{");
    fs::create_directories(dir());
  }

  fs::path dir() const { return folder_.path() / "environments/prod"; }

  Environment load(const std::optional<std::string>& name = "prod") {
    Places places;
    places.environment = name;
    places.config_dir = folder_.path();
    return load_environment(places);
  }

  std::string load_fault(const std::string& text) {
    folder_.write("environments/prod/environment.yaml", text);
    try {
      load();
    } catch (const Faults& faults) {
      const std::string prefix = (dir() / "environment.yaml:").string(), all = faults.what();
      return all.starts_with(prefix) ? all.substr(prefix.size()) : all;
    }
    return "";
  }

  Catalog catalog() const { return Catalog({{folder_.path() / "plugins"}, {}}); }

  static std::string error_of(const std::function<void()>& work, Code code) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

TEST_F(EnvironmentTest, LocalNeedsNoSetUpAndEnablesAll) {
  setenv("XDG_STATE_HOME", folder_.path().c_str(), 1);
  for (const auto& name : {std::optional<std::string>(), std::optional<std::string>("local")}) {
    const Environment local = load(name);
    EXPECT_TRUE(local.local);
    EXPECT_TRUE(local.enabled("anything"));
    EXPECT_EQ(local.state_dir, folder_.path() / "patchbay");
    EXPECT_EQ(local.timezone, "UTC");
  }
  unsetenv("XDG_STATE_HOME");
}

TEST_F(EnvironmentTest, ReadsItsFile) {
  folder_.write("environments/prod/environment.yaml",
                "variables: {project: acme, n: 5}\ntimezone: Europe/Berlin\nstate_dir: /srv/state\n"
                "secrets:\n  - variable: APP_\n  - files: /run/secrets\n"
                "limits: {concurrency: 8, edge_bytes: 16MiB}\n");
  const Environment environment = load();
  EXPECT_EQ(environment.variables.at("project").asString(), "acme");
  EXPECT_EQ(environment.variables.at("n").asInt(), 5);
  EXPECT_EQ(environment.timezone, "Europe/Berlin");
  EXPECT_EQ(environment.state_dir, "/srv/state");
  ASSERT_EQ(environment.secrets.size(), 2u);
  EXPECT_EQ(environment.secrets[0].prefix, "APP_");
  EXPECT_EQ(environment.secrets[1].dir, "/run/secrets");
  EXPECT_EQ(environment.concurrency, 8u);
  EXPECT_EQ(environment.edge_bytes, 16 << 20);
}

TEST_F(EnvironmentTest, NeedsNoFile) {
  const Environment environment = load();
  EXPECT_EQ(environment.state_dir, "/var/lib/patchbay/prod");
  EXPECT_EQ(environment.secrets.size(), 2u);
  EXPECT_FALSE(environment.enabled("csv"));
}

TEST_F(EnvironmentTest, NamesEachFaultOfItsFile) {
  const struct {
    const char* text;
    const char* fault;
  } kCases[] = {
      {"- a\n", "1:1: must be a mapping, like variables: {..}"},
      {"varables: {}\n",
       "1:1: varables: unknown option of an environment, did you mean variables?"},
      {"limits: {concurrency: 0}\n", "1:10: limits.concurrency: must be between 1 and 256, not 0"},
      {"limits: {edge_bytes: big}\n",
       "1:10: limits.edge_bytes: must be a size like 500kB, 8MiB or 1GiB, up to 1000 GB"},
      {"timezone: Mars\n",
       "1:1: timezone: Mars is no IANA time zone; write one like Europe/Berlin"},
      {"secrets:\n  - {}\n",
       "2:5: secrets[0]: must have one of variable, files, credentials and command"},
      {"secrets:\n  - {variable: A_, files: /x}\n",
       "2:5: secrets[0]: must have one of variable, files, credentials and command"},
      {"secrets:\n  - vault: x\n", "2:5: secrets[0].vault: unknown option of an environment"},
      {"secrets:\n  - {command: [pass, \"{name}\"]}\n",
       "2:5: secrets[0].command: must begin with the whole path of a program, like /usr/bin/pass"},
      {"secrets:\n  - {command: [/usr/bin/pass]}\n",
       "2:5: secrets[0].command: must have {name} where the secret's name is to stand"},
      {"secrets:\n  - {files: /x, timeout: 5s}\n",
       "2:5: secrets[0]: must have one of variable, files, credentials and command"},
      {"extends: prod\n", "1:1: extends: must be the name of another environment, not prod"},
      {"extends: ../x\n", "1:1: extends: must be the name of another environment, not ../x"},
      {"a: [\n", "2:1: end of sequence flow not found"},
  };
  for (const auto& c : kCases) EXPECT_EQ(load_fault(c.text), c.fault) << c.text;
  EXPECT_EQ(load_fault("# nothing but a remark\nvariables:\n  a: 1\n"), "");
}

std::string value_of(const Environment& environment, const std::string& name) {
  for (const auto& value : environment.values) {
    if (value.name == name) return value.value + " from " + value.from;
  }
  return "";
}

TEST_F(EnvironmentTest, ExtendsAnotherAndSaysWhatComesFromWhere) {
  const auto base = folder_.write("environments/base/environment.yaml",
                                  "variables: {project: acme, region: eu}\ntimezone: Europe/Paris\n"
                                  "secrets: [{files: /run/base}]\nlimits: {concurrency: 8}\n");
  const auto prod = folder_.write("environments/prod/environment.yaml",
                                  "extends: base\nvariables:\n  project: acme-prod\n"
                                  "limits: {edge_bytes: 1MiB}\n");
  const Environment environment = load();
  EXPECT_EQ(environment.variables.at("project"), "acme-prod");
  EXPECT_EQ(environment.concurrency, 8u);
  EXPECT_EQ(environment.edge_bytes, 1 << 20);
  ASSERT_EQ(environment.secrets.size(), 1u);
  EXPECT_EQ(value_of(environment, "variables.project"), "acme-prod from " + prod.string() + ":3");
  EXPECT_EQ(value_of(environment, "variables.region"), "eu from " + base.string() + ":1");
  EXPECT_EQ(value_of(environment, "timezone"), "Europe/Paris from " + base.string() + ":2");
  EXPECT_EQ(value_of(environment, "secrets[0]"), "files in /run/base from " + base.string() + ":3");
  EXPECT_EQ(value_of(environment, "secrets[1]"), "") << "the list is replaced as a whole";
  EXPECT_EQ(value_of(environment, "state_dir"), "/var/lib/patchbay/prod from default");
}

TEST_F(EnvironmentTest, ExtendsOneThatStandsAlone) {
  EXPECT_EQ(load_fault("extends: base\n"), "1:1: extends: " + folder_.path().string() +
                                               "/environments/base/environment.yaml is not there");
  const auto fault_of_base = [&](const std::string& text) {
    const auto base = folder_.write("environments/base/environment.yaml", text);
    const std::string fault = load_fault("extends: base\n");
    return fault.starts_with(base.string()) ? fault.substr(base.string().size() + 1) : fault;
  };
  EXPECT_EQ(fault_of_base("extends: dev\n"),
            "1:1: extends: environment prod extends base, which must not extend another one");
  EXPECT_EQ(fault_of_base("state_dir: /srv\n"),
            "1:1: state_dir: environment prod extends base, and two environments can't share their "
            "state; write it into each");
  EXPECT_EQ(fault_of_base("limits: {concurrency: 0}\n"),
            "1:10: limits.concurrency: must be between 1 and 256, not 0");
}

TEST_F(EnvironmentTest, ALinkToAManifestThatIsGoneStillEnables) {
  fs::create_directories(dir() / "plugins.d");
  fs::create_symlink("/nowhere/gone.json", dir() / "plugins.d/gone.json");
  EXPECT_TRUE(load().enabled("gone"));
  EXPECT_THAT(load().enabled_plugins(), testing::ElementsAre("gone"));
  EXPECT_EQ(load().enabled_by("gone"), dir() / "plugins.d/gone.json");
}

TEST_F(EnvironmentTest, ThatIsNotThereNamesThoseThatAre) {
  fs::create_directories(folder_.path() / "environments/dev");
  for (const char* name : {"nosuch", "", "..", "prod/../prod"}) {
    const std::string error = error_of([&] { load(name); }, Code::kConfig);
    EXPECT_THAT(error, HasSubstr("environment " + std::string(name) + ": is not there; "));
    EXPECT_THAT(error, testing::AllOf(HasSubstr("prod"), HasSubstr("dev")));
  }
}

TEST_F(EnvironmentTest, EnablesAndDisablesAPlugin) {
  const Catalog installed = catalog();
  const Environment environment = load();
  EXPECT_FALSE(environment.enabled("csv"));
  for (int again = 0; again < 2; ++again) enable_plugin(environment, *installed.find("csv"));
  EXPECT_TRUE(environment.enabled("csv"));
  EXPECT_EQ(fs::read_symlink(dir() / "plugins.d/csv.json"), folder_.path() / "plugins/csv.json");
  EXPECT_EQ(environment.refusal(*installed.find("csv")->manifest), "");
  for (int again = 0; again < 2; ++again) disable_plugin(environment, "csv");
  EXPECT_FALSE(environment.enabled("csv"));
}

TEST_F(EnvironmentTest, KeepsAFileThatAPersonWrote) {
  const auto file =
      folder_.write("environments/prod/plugins.d/csv.yaml", "id: csv\nversion: \">=1 <2\"\n");
  const Catalog installed = catalog();
  const Environment environment = load();
  EXPECT_TRUE(environment.enabled("csv"));
  EXPECT_EQ(environment.refusal(*installed.find("csv")->manifest), "");
  enable_plugin(environment, *installed.find("csv"));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_FALSE(fs::exists(dir() / "plugins.d/csv.json"));
}

TEST_F(EnvironmentTest, RefusesAPluginOutsideItsRange) {
  const Catalog installed = catalog();
  const Manifest& csv = *installed.find("csv")->manifest;
  const std::string file = (dir() / "plugins.d/csv.yaml").string();
  folder_.write("environments/prod/plugins.d/csv.yaml", "id: csv\nversion: \"<1.2\"\n");
  EXPECT_EQ(load().refusal(csv),
            "plugin csv is installed as 1.2.0, but environment prod wants <1.2 (" + file + ")");
  for (const char* text :
       {"id: bq\n", "[]", "id: csv\nversion: 1.2\n", "id: csv\nversion: new\n", "{"}) {
    folder_.write("environments/prod/plugins.d/csv.yaml", text);
    EXPECT_THROW(load().refusal(csv), Faults) << text;
  }
}

TEST_F(EnvironmentTest, CannotEnableWhatIsBrokenNorInLocal) {
  const Catalog installed = catalog();
  EXPECT_THAT(error_of([&] { enable_plugin(load(), *installed.find("broken")); }, Code::kConfig),
              HasSubstr("plugin broken: "));
  EXPECT_EQ(error_of([&] { enable_plugin(load("local"), *installed.find("csv")); }, Code::kConfig),
            "environment local: every plugin is enabled there; choose another with --env");
  EXPECT_THAT(error_of([&] { disable_plugin(load("local"), "csv"); }, Code::kConfig),
              HasSubstr("choose another with --env"));
}

TEST(VersionRange, ComparesNumbersPartByPart) {
  const struct {
    const char* version;
    const char* range;
    bool in;
  } kCases[] = {
      {"1.2.0", ">=1.2 <2", true},    {"2.0.0", ">=1.2 <2", false}, {"1.10.0", ">=1.9", true},
      {"1.2.3", "1.2.3", true},       {"1.2.3", "=1.2", false},     {"1.2", "1.2.0", true},
      {"1.2.3-rc1", "<=1.2.3", true}, {"0.9", ">0.9", false},       {"x", ">=0", false}};
  for (const auto& c : kCases)
    EXPECT_EQ(in_range(c.version, c.range), c.in) << c.version << " in " << c.range;
  for (const char* no : {"", " ", "new", ">=", "=>1", "~1.2", "1.2 || 1.3"})
    EXPECT_FALSE(is_range(no)) << no;
}

class Secrets : public EnvironmentTest {
 protected:
  std::vector<std::string> heard_;
  SecretStore store(std::vector<SecretProvider> providers) {
    return SecretStore(std::move(providers),
                       [this](std::string_view value) { heard_.emplace_back(value); });
  }
};

TEST_F(Secrets, ComeFromAVariableOrACredentialByDefault) {
  setenv("PATCHBAY_SECRET_API_KEY_2", "one\n", 1);
  setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1);
  folder_.write("from-file", "two\n\n");
  auto secrets = store(default_secret_providers());
  EXPECT_EQ(secrets.resolve("api-key.2"), "one");
  EXPECT_EQ(secrets.resolve("from-file"), "two\n") << "one newline goes, no more";
  EXPECT_EQ(secrets.resolve("from-file"), "two\n");
  EXPECT_THAT(heard_, testing::ElementsAre("one", "two\n"))
      << "the redactor hears each value, before it is used";
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(Secrets, ComeFromTheFirstProviderThatHasThem) {
  setenv("A_KEY", "variable", 1);
  folder_.write("key", "file");
  folder_.write("only", "file");
  auto secrets = store({{SecretProvider::Kind::kVariable, "A_", {}},
                        {SecretProvider::Kind::kFile, "", folder_.path()}});
  EXPECT_EQ(secrets.resolve("key"), "variable");
  EXPECT_EQ(secrets.resolve("only"), "file");
}

SecretProvider command(std::vector<std::string> words, std::chrono::seconds timeout) {
  return {SecretProvider::Kind::kCommand, "", {}, std::move(words), timeout};
}

TEST_F(Secrets, ComeFromACommandWithoutAShell) {
  using std::chrono::seconds;
  auto secrets = store({command({"/bin/echo", "a; b $HOME `id` {name}{name}"}, seconds(10))});
  EXPECT_EQ(secrets.resolve("key"), "a; b $HOME `id` keykey");
  EXPECT_THAT(heard_, testing::ElementsAre("a; b $HOME `id` keykey"));
}

TEST_F(Secrets, OfACommandThatFailsSayHowAndNotWhatItSaid) {
  using std::chrono::seconds;
  const struct {
    std::vector<std::string> words;
    const char* why;
  } kCases[] = {
      {{"/bin/sh", "-c", "echo s3cret; echo s3cret >&2; exit 3"},
       "/bin/sh ended with exit code 3; run it by hand to see why"},
      {{"/bin/sh", "-c", "kill -9 $$"}, "/bin/sh was ended by signal 9"},
      {{"/bin/cat", "/dev/zero"}, "/bin/cat printed more than 1 MiB"},
      {{"/bin/true"}, "/bin/true is empty"},
      {{"/bin/sh", "-c", "sleep 1000 & echo s3cret; sleep 1000"},
       "/bin/sh took longer than 1 s; run it by hand, or allow more with timeout:"},
      {{"/bin/sh", "-c", "exec >&-; sleep 1000"},
       "/bin/sh took longer than 1 s; run it by hand, or allow more with timeout:"},
  };
  for (const auto& c : kCases) {
    auto secrets = store({command(c.words, seconds(1))});
    EXPECT_EQ(error_of([&] { secrets.resolve("key"); }, Code::kAuth),
              std::string("secret key: the command ") + c.why);
  }
  EXPECT_TRUE(heard_.empty());
}

TEST_F(Secrets, OfACommandThatIsNotThereAreAFaultOfTheConfiguration) {
  auto secrets = store({command({"/nowhere/pass", "{name}"}, std::chrono::seconds(1))});
  EXPECT_EQ(error_of([&] { secrets.resolve("key"); }, Code::kConfig),
            "secret key: the command /nowhere/pass: cannot be started: No such file or directory; "
            "check the path");
}

TEST_F(Secrets, ThatAreMissingOrEmptyNameThePlaces) {
  unsetenv("A_GONE");
  setenv("A_EMPTY", "", 1);
  folder_.write("newline", "\n");
  folder_.write("large", std::string((1 << 20) + 1, 'x'));
  fs::create_directory(folder_.path() / "folder");
  const std::string dir = folder_.path().string();
  const struct {
    const char* name;
    std::string error;
  } kCases[] = {
      {"gone",
       "secret gone: missing; set the environment variable A_GONE or the file " + dir + "/gone"},
      {"empty", "secret empty: the environment variable A_EMPTY is empty"},
      {"newline", "secret newline: the file " + dir + "/newline is empty"},
      {"../x", "secret ../x: a name has only letters, digits, -, _ and ."},
      {"..", "secret ..: a name has only letters, digits, -, _ and ."},
  };
  auto secrets = store({{SecretProvider::Kind::kVariable, "A_", {}},
                        {SecretProvider::Kind::kFile, "", folder_.path()}});
  for (const auto& c : kCases)
    EXPECT_EQ(error_of([&] { secrets.resolve(c.name); }, Code::kAuth), c.error);
  EXPECT_EQ(error_of([&] { secrets.resolve("folder"); }, Code::kConfig),
            "secret folder: the file " + dir + "/folder: is not a regular file");
  EXPECT_EQ(error_of([&] { secrets.resolve("large"); }, Code::kConfig),
            "secret large: the file " + dir + "/large: is larger than 1 MiB");
  EXPECT_TRUE(heard_.empty());
}

}  // namespace
}  // namespace patchbay::host
