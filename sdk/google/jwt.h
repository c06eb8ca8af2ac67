// JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 3.3).
#pragma once

#include <string>
#include <string_view>

namespace patchbay {

std::string base64url(std::string_view bytes);  // RFC 4648 5, without padding
// header.payload.signature. Throws Error kAuth where the PEM holds no usable private key.
std::string sign_jwt(const std::string& header_json, const std::string& payload_json,
                     const std::string& private_key_pem);

}  // namespace patchbay
