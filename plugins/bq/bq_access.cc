#include "bq_access.h"

namespace patchbay {

BqAccess parse_access(const Config& config) {
  BqAccess out;
  std::string endpoint = config.get<std::string>("endpoint");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  out.place = {endpoint, config.get<std::string>("project"), config.get<std::string>("dataset"),
               config.get<std::string>("location")};
  out.http.option = "endpoint";
  out.http.allow_http = config.get<bool>("allow_http");
  out.http.ca_file = config.get_or<std::string>("ca_file", "");
  out.http.proxy = config.get_or<std::string>("proxy", "");
  out.credentials = config.find<Secret>("credentials");
  return out;
}

}  // namespace patchbay
