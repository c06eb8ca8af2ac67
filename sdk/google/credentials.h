// The kinds of credentials.
#pragma once

#include <json/value.h>

#include "patchbay/google.h"

namespace patchbay {

std::shared_ptr<GoogleCredentials> make_service_account(const Json::Value& json,
                                                        const GoogleEnvironment& environment,
                                                        const std::string& scope);
std::shared_ptr<GoogleCredentials> make_authorized_user(const Json::Value& json,
                                                        const GoogleEnvironment& environment);
std::shared_ptr<GoogleCredentials> make_metadata_server(const GoogleEnvironment& environment,
                                                        const std::string& scope);

}  // namespace patchbay
