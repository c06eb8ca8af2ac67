// The kinds of credentials.
#pragma once

#include <json/value.h>

#include "patchbay/google.h"

namespace patchbay {

constexpr const char* kGoogleScope = "https://www.googleapis.com/auth/cloud-platform";

std::shared_ptr<GoogleCredentials> make_service_account(const Json::Value& json,
                                                        const GoogleEnvironment& environment);
std::shared_ptr<GoogleCredentials> make_authorized_user(const Json::Value& json,
                                                        const GoogleEnvironment& environment);
std::shared_ptr<GoogleCredentials> make_metadata_server(const GoogleEnvironment& environment);

}  // namespace patchbay
