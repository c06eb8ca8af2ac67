// Tokens by key and by refresh token, against a scripted token endpoint.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <filesystem>
#include <fstream>

#include "fake_call.h"
#include "patchbay/google.h"
#include "patchbay/json_value.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string pem_of(EVP_PKEY* key, const EVP_CIPHER* cipher) {
  char passphrase[] = "s3cr3t";
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? passphrase : nullptr, cipher ? 6 : 0,
                                nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

struct TestKey {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  std::string pem = pem_of(key, nullptr);

  TestKey() = default;
  ~TestKey() { EVP_PKEY_free(key); }
  TestKey(const TestKey&) = delete;
  TestKey& operator=(const TestKey&) = delete;

  bool signed_by(const std::string& text, const std::string& signature) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const int ok = EVP_DigestVerify(
        context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
        reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    return ok == 1;
  }
};

const TestKey& test_key() {
  static const TestKey key;
  return key;
}

std::string decode_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  size_t padding = 0;
  while (text.size() % 4 != 0) {
    text += '=';
    ++padding;
  }
  std::string out(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  out.resize(out.size() - padding);
  return out;
}

std::string service_account(const std::string& token_uri) {
  Json::Value json;
  json["type"] = "service_account";
  json["client_email"] = "robot@p.test";
  json["private_key"] = test_key().pem;
  json["private_key_id"] = "k1";
  json["project_id"] = "p-file";
  json["quota_project_id"] = "q-file";
  json["token_uri"] = token_uri;
  return write_json(json);
}

std::string authorized_user(const std::string& token_uri) {
  Json::Value json;
  json["type"] = "authorized_user";
  json["client_id"] = "id";
  json["client_secret"] = "client-s3cr3t";
  json["refresh_token"] = "refresh-s3cr3t";
  json["token_uri"] = token_uri;
  return write_json(json);
}

std::string token_answer(const std::string& token, int lifetime = 3599) {
  return answer(200, R"({"access_token":")" + token + R"(","expires_in":)" +
                         std::to_string(lifetime) + R"(,"token_type":"Bearer"})");
}

std::shared_ptr<GoogleCredentials> from_json(const std::string& text) {
  return GoogleCredentials::from_json(text, GoogleEnvironment{});
}

TEST(ServiceAccount, SignsWhatTheTokenEndpointExpects) {
  ScriptedServer server({ScriptedServer::answers({token_answer("t1")})});
  FakeCall fake;
  EXPECT_EQ(from_json(service_account(server.url("/token")))->token(fake.call(), {}), "t1");

  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, AllOf(HasSubstr("POST /token HTTP/1.1\r\n"),
                             HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n")));
  const std::string form = request.substr(request.find("\r\n\r\n") + 4);
  const std::string start =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(form.starts_with(start)) << form;
  const std::string jwt = form.substr(start.size());
  const size_t one = jwt.find('.'), two = jwt.rfind('.');
  EXPECT_TRUE(test_key().signed_by(jwt.substr(0, two), decode_base64url(jwt.substr(two + 1))));
  const Json::Value header = parse_json(decode_base64url(jwt.substr(0, one)));
  EXPECT_EQ(write_json(header), R"({"alg":"RS256","kid":"k1","typ":"JWT"})");
  const Json::Value claims = parse_json(decode_base64url(jwt.substr(one + 1, two - one - 1)));
  EXPECT_EQ(claims["iss"].asString(), "robot@p.test");
  EXPECT_EQ(claims["aud"].asString(), "https://oauth2.googleapis.com/token");
  EXPECT_EQ(claims["scope"].asString(), "https://www.googleapis.com/auth/cloud-platform");
  EXPECT_EQ(claims["exp"].asInt64() - claims["iat"].asInt64(), 3600);
  EXPECT_NEAR(static_cast<double>(claims["iat"].asInt64()), static_cast<double>(time(nullptr)), 60);
}

TEST(AuthorizedUser, SendsItsRefreshToken) {
  ScriptedServer server({ScriptedServer::answers({token_answer("t1")})});
  FakeCall fake;
  EXPECT_EQ(from_json(authorized_user(server.url("/t")))->token(fake.call(), {}), "t1");
  EXPECT_TRUE(server.requests().at(0).ends_with(
      "grant_type=refresh_token&client_id=id&client_secret=client-s3cr3t&"
      "refresh_token=refresh-s3cr3t"));
}

TEST(Token, IsKeptUntilShortlyBeforeItsEnd) {
  struct Case {
    int lifetime;
    const char* second;
  };
  for (const auto& [lifetime, second] : {Case{3599, "t1"}, Case{300, "t1"}, Case{0, "t2"}}) {
    ScriptedServer server(
        {ScriptedServer::answers({token_answer("t1", lifetime), token_answer("t2")})});
    const auto credentials = from_json(authorized_user(server.url()));
    FakeCall fake;
    EXPECT_EQ(credentials->token(fake.call(), {}), "t1");
    EXPECT_EQ(credentials->token(fake.call(), {}), second) << lifetime;
  }
}

TEST(Token, IsRenewedOnceWhereItWasRefused) {
  ScriptedServer server(
      {ScriptedServer::answers({token_answer("t1"), token_answer("t2"), token_answer("t3")})});
  const auto credentials = from_json(authorized_user(server.url()));
  FakeCall fake;
  EXPECT_EQ(credentials->token(fake.call(), {}), "t1");
  EXPECT_EQ(credentials->token(fake.call(), {}, "t1"), "t2");
  EXPECT_EQ(credentials->token(fake.call(), {}, "t1"), "t2");  // by another thread meanwhile
}

TEST(Token, IsFetchedOnceForManyThreads) {
  ScriptedServer server({ScriptedServer::answers({token_answer("t1"), token_answer("t2")})});
  const auto credentials = from_json(authorized_user(server.url()));
  std::vector<std::thread> threads;
  std::atomic<int> same{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      FakeCall fake;
      if (credentials->token(fake.call(), {}) == "t1") ++same;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(same, 4);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Token, WaitingForAnothersFetchCanBeCancelled) {
  FakeCall first, second;
  std::thread waiting;
  std::chrono::steady_clock::duration took{};
  std::shared_ptr<GoogleCredentials> credentials;
  ScriptedServer server({[&](Peer& peer) {
    peer.read_request();
    waiting = std::thread([&] {
      const auto begin = std::chrono::steady_clock::now();
      second.cancel();
      EXPECT_EQ(error_of([&] { credentials->token(second.call(), {}); }).code(), Code::kCancelled);
      took = std::chrono::steady_clock::now() - begin;
      first.cancel();
    });
    peer.wait_closed();
  }});
  credentials = from_json(authorized_user(server.url()));
  EXPECT_EQ(error_of([&] { credentials->token(first.call(), {}); }).code(), Code::kCancelled);
  waiting.join();
  EXPECT_LT(took, std::chrono::seconds(1));
}

TEST(Token, PassingErrorsAreTriedAgain) {
  for (const auto& passing :
       {answer(503, "<html>"), answer(429, ""), answer(400, R"({"error":"server_error"})"),
        answer(400, R"({"error":"x","error_description":"temporarily_unavailable"})")}) {
    ScriptedServer server({ScriptedServer::answers({passing, token_answer("t1")})});
    FakeCall fake(1);
    EXPECT_EQ(from_json(authorized_user(server.url()))->token(fake.call(), {}), "t1") << passing;
  }
}

TEST(Token, RefusalsNameTheServersWordsAndNoSecret) {
  struct Case {
    int status;
    const char* body;
    Code code;
    const char* words;
  };
  const Case cases[] = {
      {400, R"({"error":"invalid_grant","error_description":"Bad client-s3cr3t."})", Code::kAuth,
       "answered 400: invalid_grant: Bad ***."},
      {401, R"({"error":"invalid_client"})", Code::kAuth, "answered 401: invalid_client"},
      {400, R"({"error":{"message":"odd"}})", Code::kRemote, "answered 400 and no reason"},
      {403, "<html>refresh-s3cr3t", Code::kAuth, "answered 403 and no reason"},
      {200, "<html>refresh-s3cr3t", Code::kRemote, "answered 200 without an access token"},
      {200, R"({"access_token":7})", Code::kRemote, "answered 200 without an access token"},
      {200, "[]", Code::kRemote, "answered 200 without an access token"},
      {500, "refresh-s3cr3t", Code::kUnavailable, "answered 500 (1 attempt)"},
  };
  for (const auto& [status, body, code, words] : cases) {
    ScriptedServer server({ScriptedServer::answers({answer(status, body)})});
    FakeCall fake;
    const auto credentials = from_json(authorized_user(server.url("/token")));
    const Error error = error_of([&] { credentials->token(fake.call(), {}); });
    EXPECT_EQ(error.code(), code) << body;
    EXPECT_THAT(error.what(), AllOf(HasSubstr(words), Not(HasSubstr("s3cr3t"))));
  }
}

TEST(Token, AClockThatIsWrongIsSuspected) {
  ScriptedServer server({ScriptedServer::answers({answer(
      400,
      R"({"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token"})")})});
  FakeCall fake;
  const auto credentials = from_json(service_account(server.url()));
  EXPECT_THAT(error_of([&] { credentials->token(fake.call(), {}); }).what(),
              AllOf(HasSubstr("is this machine's clock right?"), HasSubstr("robot@p.test")));
}

TEST(Token, LifetimesOfAnyFormAreTaken) {
  for (const char* lifetime : {R"("3599")", "null", "1e99", "-5", "{}", "99999999999999"}) {
    ScriptedServer server({ScriptedServer::answers(
        {answer(200, std::string(R"({"access_token":"t","expires_in":)") + lifetime + "}")})});
    FakeCall fake;
    EXPECT_EQ(from_json(authorized_user(server.url()))->token(fake.call(), {}), "t") << lifetime;
  }
}

TEST(FromJson, RefusesWhatItCannotUse) {
  const auto without = [](const std::string& text, const char* member) {
    Json::Value json = parse_json(text);
    json.removeMember(member);
    return write_json(json);
  };
  const std::pair<std::string, const char*> cases[] = {
      {"s3cr3t", "must be the JSON text of a service account or an authorized user"},
      {"[]", "must be the JSON text of a service account or an authorized user"},
      {"{}", "type must be service_account or authorized_user"},
      {R"({"type":"external_account"})", "in the JSON text, not external_account"},
      {R"({"type":"s3cr3t"})", "type must be service_account or authorized_user"},
      {R"({"type":7})", "type must be service_account or authorized_user"},
      {without(service_account("https://t"), "private_key"), "private_key is missing"},
      {without(service_account("https://t"), "client_email"), "client_email is missing"},
      {without(authorized_user("https://t"), "refresh_token"), "refresh_token is missing"},
      {authorized_user("http://example.test/s3cr3t"), "token_uri must begin with https://"},
      {authorized_user("nonsense"), "token_uri must begin with https://"},
  };
  for (const auto& [text, message] : cases) {
    const Error error = error_of([&, &t = text] { from_json(t); });
    EXPECT_EQ(error.code(), Code::kAuth) << text;
    EXPECT_THAT(error.what(), AllOf(testing::StartsWith("credentials: "), HasSubstr(message),
                                    Not(HasSubstr("s3cr3t"))));
  }
}

TEST(FromJson, AKeyThatCannotBeUsedIsNotShown) {
  EVP_PKEY* elliptic = EVP_EC_gen("P-256");
  const std::string cases[] = {
      "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n",
      pem_of(test_key().key, EVP_aes_128_cbc()),
      pem_of(elliptic, nullptr),
  };
  EVP_PKEY_free(elliptic);
  for (const auto& pem : cases) {
    Json::Value json = parse_json(service_account("http://127.0.0.1:1/"));
    json["private_key"] = pem;
    const auto credentials = from_json(write_json(json));
    FakeCall fake;
    const Error error = error_of([&] { credentials->token(fake.call(), {}); });
    EXPECT_EQ(error.code(), Code::kAuth);
    EXPECT_STREQ(error.what(), "credentials: private_key is no usable RSA key in PEM");
  }
}

// A folder for one test.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "patchbay_google_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

TEST(FindDefault, FollowsGooglesOrder) {
  const Folder folder;
  ScriptedServer named({ScriptedServer::answers({token_answer("named")})});
  ScriptedServer gcloud({ScriptedServer::answers({token_answer("gcloud")})});
  GoogleEnvironment environment;
  environment.gcloud_file = folder.file("gcloud.json", authorized_user(gcloud.url()));
  FakeCall fake;
  EXPECT_EQ(GoogleCredentials::find_default(environment)->token(fake.call(), {}), "gcloud");
  environment.credentials_file = folder.file("named.json", service_account(named.url()));
  EXPECT_EQ(GoogleCredentials::find_default(environment)->token(fake.call(), {}), "named");
}

TEST(FindDefault, ANamedFileIsNotPassedOver) {
  const Folder folder;
  GoogleEnvironment environment;
  environment.gcloud_file = folder.file("gcloud.json", authorized_user("https://t"));
  environment.credentials_file = "/nowhere/key.json";
  EXPECT_STREQ(
      error_of([&] { GoogleCredentials::find_default(environment); }).what(),
      "credentials: /nowhere/key.json: cannot be read: No such file or directory; check the path");
  environment.credentials_file = folder.file("bad.json", "s3cr3t");
  const Error error = error_of([&] { GoogleCredentials::find_default(environment); });
  EXPECT_EQ(error.code(), Code::kAuth);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("bad.json"), Not(HasSubstr("s3cr3t"))));
}

TEST(Project, TheEnvironmentWinsOverTheFile) {
  FakeCall fake;
  GoogleEnvironment environment;
  const std::string text = service_account("https://t");
  auto credentials = GoogleCredentials::from_json(text, environment);
  EXPECT_EQ(credentials->project(fake.call(), {}), "p-file");
  EXPECT_EQ(credentials->quota_project(), "q-file");
  environment.project = "p-env";
  environment.quota_project = "q-env";
  credentials = GoogleCredentials::from_json(text, environment);
  EXPECT_EQ(credentials->project(fake.call(), {}), "p-env");
  EXPECT_EQ(credentials->quota_project(), "q-env");
}

}  // namespace
}  // namespace patchbay
