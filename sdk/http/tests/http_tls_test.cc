// Trust, and what the handshake offers.
#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fake_call.h"
#include "patchbay/http.h"
#include "scripted_server.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

// A certificate for 127.0.0.1 that nobody knows, and its key.
class Identity {
 public:
  Identity() : key_(EVP_RSA_gen(2048)), certificate_(X509_new()) {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_set_version(certificate_, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* name = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate_, name);
    X509_EXTENSION* address =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate_, address, -1);
    X509_EXTENSION_free(address);
    X509_sign(certificate_, key_, EVP_sha256());
    file_ = std::filesystem::temp_directory_path() / "patchbay_ca_XXXXXX";
    FILE* out = fdopen(mkstemp(file_.data()), "w");
    PEM_write_X509(out, certificate_);
    fclose(out);
  }
  ~Identity() {
    std::filesystem::remove(file_);
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const std::string& file() const { return file_; }

  // Answers one request over TLS; `offered` gets the protocols of the client's hello.
  void serve(int fd, std::string& offered) const {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_);
    SSL_CTX_use_PrivateKey(context, key_);
    SSL_CTX_set_alpn_select_cb(context, &choose, &offered);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    char request[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
      const std::string reply = answer(200, "safe");
      SSL_write(ssl, reply.data(), static_cast<int>(reply.size()));
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

 private:
  static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned int in_size, void* offered) {
    static_cast<std::string*>(offered)->assign(reinterpret_cast<const char*>(in), in_size);
    *out = reinterpret_cast<const unsigned char*>("http/1.1");
    *size = 8;
    return SSL_TLSEXT_ERR_OK;
  }

  EVP_PKEY* key_;
  X509* certificate_;
  std::string file_;
};

const Identity& identity() {
  static const Identity one;
  return one;
}

// What a client with these options makes of the server; the protocols it offered.
std::string offered_by(const HttpOptions& options, HttpResponse& response) {
  std::string offered;
  ScriptedServer server({[&](Peer& peer) { identity().serve(peer.fd(), offered); }});
  HttpRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/x?key=s3cr3t";
  FakeCall fake(5);
  response = HttpClient(options).send(fake.call(), request);
  return offered;
}

TEST(HttpTls, AnUnknownCertificateIsRefusedForGood) {
  HttpResponse response;
  const Error error = error_of([&] { offered_by({}, response); });
  EXPECT_EQ(error.code(), Code::kRemote);
  EXPECT_THAT(error.what(), HasSubstr("/x: the server's certificate is not trusted: "));
  EXPECT_THAT(error.what(), HasSubstr("ca_file or SSL_CERT_FILE"));
}

TEST(HttpTls, CaFileNamesWhomToTrustAndHttp2IsOffered) {
  HttpOptions options;
  options.ca_file = identity().file();
  HttpResponse response;
  EXPECT_THAT(offered_by(options, response), HasSubstr("h2"));
  EXPECT_EQ(response.body, "safe");
}

TEST(HttpTls, TheUsualVariablesNameWhomToTrust) {
  constexpr const char* kNames[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE"};
  for (const char* name : kNames) unsetenv(name);  // the machine's own
  for (const char* name : kNames) {
    setenv(name, identity().file().c_str(), 1);
    HttpResponse response;
    offered_by({}, response);
    unsetenv(name);
    EXPECT_EQ(response.body, "safe") << name;
  }
}

}  // namespace
}  // namespace patchbay
