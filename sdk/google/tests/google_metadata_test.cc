#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fake_call.h"
#include "patchbay/google.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

constexpr const char* kGenuine = "Metadata-Flavor: Google\r\n";

std::string address(const ScriptedServer& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

// Nothing of it exists.
GoogleEnvironment nowhere() {
  GoogleEnvironment environment;
  environment.metadata_host = "127.0.0.1:1";
  environment.product_file = "/nowhere/product_name";
  environment.metadata_ip = "127.0.0.1:1";
  environment.metadata_timeout = std::chrono::milliseconds(200);
  return environment;
}

GoogleEnvironment named(const ScriptedServer& server) {
  GoogleEnvironment environment = nowhere();
  environment.metadata_host = address(server);
  environment.metadata_named = true;
  return environment;
}

std::string token(const GoogleEnvironment& environment, FakeCall& fake) {
  return GoogleCredentials::find_default(environment)->token(fake.call(), {});
}

std::string token_answer() {
  return answer(200, R"({"access_token":"t1","expires_in":3599})", kGenuine);
}

TEST(MetadataServer, GivesTokensWhereItIsNamed) {
  ScriptedServer server({ScriptedServer::answers({token_answer()})});
  const GoogleEnvironment environment = named(server);
  FakeCall fake;
  EXPECT_EQ(token(environment, fake), "t1");
  EXPECT_THAT(server.requests().at(0), HasSubstr("\r\nMetadata-Flavor: Google\r\n"));
  EXPECT_TRUE(server.requests().at(0).starts_with(
      "GET /computeMetadata/v1/instance/service-accounts/default/"
      "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform "));
}

TEST(MetadataServer, KnowsTheProject) {
  ScriptedServer server({ScriptedServer::answers({answer(200, "p-machine", kGenuine)})});
  const GoogleEnvironment environment = named(server);
  FakeCall fake;
  EXPECT_EQ(GoogleCredentials::find_default(environment)->project(fake.call(), {}), "p-machine");
  EXPECT_TRUE(server.requests().at(0).starts_with("GET /computeMetadata/v1/project/project-id "));
}

TEST(MetadataServer, IsTriedAgainWhileItStarts) {
  ScriptedServer server({ScriptedServer::answers({answer(503, ""), token_answer()})});
  const GoogleEnvironment environment = named(server);
  FakeCall fake(1);
  EXPECT_EQ(token(environment, fake), "t1");
}

TEST(MetadataServer, WithoutOneTheMessageSaysWhatToDo) {
  FakeCall fake(5);
  GoogleEnvironment unasked = nowhere();
  unasked.no_metadata = true;
  unasked.metadata_named = true;
  for (const auto& environment : {nowhere(), unasked}) {
    const Error error = error_of([&] { token(environment, fake); });
    EXPECT_EQ(error.code(), Code::kAuth);
    EXPECT_THAT(error.what(), HasSubstr("none found; set the option credentials, or "
                                        "GOOGLE_APPLICATION_CREDENTIALS"));
    EXPECT_EQ(GoogleCredentials::find_default(environment)->project(fake.call(), {}), "");
  }
  EXPECT_TRUE(fake.asked().empty());
}

TEST(MetadataServer, IsSearchedForSeveralTimes) {
  ScriptedServer server({[](Peer& peer) { peer.read_request(); },
                         ScriptedServer::answers({answer(404, "", kGenuine), token_answer()})});
  GoogleEnvironment environment = nowhere();
  environment.metadata_host = environment.metadata_ip = address(server);
  environment.metadata_timeout = std::chrono::seconds(5);
  FakeCall fake;
  EXPECT_EQ(token(environment, fake), "t1");
  ASSERT_EQ(server.requests().size(), 3u);
  EXPECT_TRUE(server.requests().at(1).starts_with("GET / "));
}

TEST(MetadataServer, IsKnownByTheMachinesName) {
  std::string name = std::filesystem::temp_directory_path() / "patchbay_product_XXXXXX";
  close(mkstemp(name.data()));
  std::ofstream(name) << "Google Compute Engine\n";
  ScriptedServer server({ScriptedServer::answers({token_answer()})});
  GoogleEnvironment environment = nowhere();
  environment.metadata_host = address(server);
  environment.product_file = name;
  FakeCall fake;
  EXPECT_EQ(token(environment, fake), "t1");
  std::filesystem::remove(name);
}

TEST(MetadataServer, APortalThatAnswersInItsPlaceIsNotBelieved) {
  ScriptedServer portal({ScriptedServer::answers({answer(200, R"({"access_token":"evil"})")})});
  FakeCall fake;
  GoogleEnvironment environment = nowhere();
  environment.metadata_ip = address(portal);
  EXPECT_THAT(error_of([&] { token(environment, fake); }).what(), HasSubstr("none found"));
  environment = named(portal);
  const Error error = error_of([&] { token(environment, fake); });
  EXPECT_EQ(error.code(), Code::kAuth);
  EXPECT_THAT(error.what(), HasSubstr("something else than Google's metadata server"));
}

TEST(MetadataServer, AMachineWithoutServiceAccountIsNamedAsSuch) {
  ScriptedServer server({ScriptedServer::answers({answer(404, "", kGenuine)})});
  const GoogleEnvironment environment = named(server);
  FakeCall fake;
  const Error error = error_of([&] { token(environment, fake); });
  EXPECT_EQ(error.code(), Code::kAuth);
  EXPECT_STREQ(error.what(), "credentials: this machine has no service account");
}

TEST(GoogleEnvironment, ReadsTheVariablesOfGooglesLibraries) {
  const std::pair<const char*, const char*> variables[] = {
      {"GOOGLE_APPLICATION_CREDENTIALS", "/a.json"},
      {"CLOUDSDK_CONFIG", "/gcloud"},
      {"GOOGLE_CLOUD_PROJECT", ""},
      {"GCLOUD_PROJECT", "p"},
      {"GOOGLE_CLOUD_QUOTA_PROJECT", "q"},
      {"GCE_METADATA_HOST", "h:1"},
      {"GCE_METADATA_IP", "10.0.0.1"},
      {"GCE_METADATA_TIMEOUT", "7"},
      {"GCE_METADATA_DETECT_RETRIES", "nonsense"},
      {"NO_GCE_CHECK", "true"},
  };
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  const GoogleEnvironment read = GoogleEnvironment::read();
  for (const auto& [name, value] : variables) unsetenv(name);
  EXPECT_EQ(read.credentials_file, "/a.json");
  EXPECT_EQ(read.gcloud_file, "/gcloud/application_default_credentials.json");
  EXPECT_EQ(read.project, "p");
  EXPECT_EQ(read.quota_project, "q");
  EXPECT_EQ(read.metadata_host, "h:1");
  EXPECT_TRUE(read.metadata_named);
  EXPECT_EQ(read.metadata_ip, "10.0.0.1");
  EXPECT_EQ(read.metadata_timeout, std::chrono::seconds(7));
  EXPECT_EQ(read.metadata_tries, 3);
  EXPECT_TRUE(read.no_metadata);
}

}  // namespace
}  // namespace patchbay
