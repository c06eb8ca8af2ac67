#include <cstdlib>

#include "patchbay/google.h"

namespace patchbay {
namespace {

std::string variable(const char* name, const char* older_name = nullptr) {
  const char* value = std::getenv(name);
  if (value && *value) return value;
  return older_name ? variable(older_name) : "";
}

// A count or a number of seconds; nonsense leaves the default.
int number(const char* name, int fallback) {
  const int value = std::atoi(variable(name).c_str());
  return value > 0 && value <= 1000 ? value : fallback;
}

std::string gcloud_default() {
  const std::string folder = variable("CLOUDSDK_CONFIG");
  return (folder.empty() ? variable("HOME") + "/.config/gcloud" : folder) +
         "/application_default_credentials.json";
}

}  // namespace

GoogleEnvironment GoogleEnvironment::read() {
  GoogleEnvironment out;
  out.credentials_file = variable("GOOGLE_APPLICATION_CREDENTIALS");
  out.gcloud_file = gcloud_default();
  out.project = variable("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT");
  out.quota_project = variable("GOOGLE_CLOUD_QUOTA_PROJECT");
  if (const std::string host = variable("GCE_METADATA_HOST", "GCE_METADATA_ROOT"); !host.empty()) {
    out.metadata_host = host;
    out.metadata_named = true;
  }
  if (const std::string ip = variable("GCE_METADATA_IP"); !ip.empty()) out.metadata_ip = ip;
  out.metadata_timeout = std::chrono::seconds(number("GCE_METADATA_TIMEOUT", 3));
  out.metadata_tries = number("GCE_METADATA_DETECT_RETRIES", 3);
  out.no_metadata = variable("NO_GCE_CHECK") == "true";
  return out;
}

}  // namespace patchbay
