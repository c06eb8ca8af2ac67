// Passwords where they have no place: inside URLs and connection strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchbay::host {

// Those of the URLs in a text, scheme://user:PASSWORD@host: as they are written there and, where
// that differs, with %41 decoded. A password may hold characters that a URL must not have, such as
// a slash. Source: RFC 3986, section 3.2.1.
std::vector<std::string> passwords_in_urls(std::string_view text);

// The same of a value that names a database: also ?password= and ?sslpassword= of a URL, and
// password= among pairs. Source: https://www.postgresql.org/docs/15/libpq-connect.html, 34.1.1
std::vector<std::string> passwords_in_connection(std::string_view text);

// For people: *** in place of the passwords of URLs.
std::string without_passwords(std::string_view text);

}  // namespace patchbay::host
