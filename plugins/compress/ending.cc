#include "ending.h"

#include <array>

namespace patchbay {
namespace {

struct Ending {
  std::string_view text, plain;
  Method method;
};
constexpr std::array kEndings{
    Ending{".gz", "", Method::kGzip},      Ending{".gzip", "", Method::kGzip},
    Ending{".tgz", ".tar", Method::kGzip}, Ending{".zst", "", Method::kZstd},
    Ending{".zstd", "", Method::kZstd},    Ending{".tzst", ".tar", Method::kZstd},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool ends_with(std::string_view key, std::string_view ending) {
  if (key.size() <= ending.size()) return false;
  key.remove_prefix(key.size() - ending.size());
  for (size_t i = 0; i < ending.size(); ++i) {
    if (lower(key[i]) != ending[i]) return false;
  }
  return true;
}

const Ending* find(std::string_view key) {
  for (const auto& ending : kEndings) {
    if (ends_with(key, ending.text)) return &ending;
  }
  return nullptr;
}

}  // namespace

Method parse_method(std::string_view name) {
  return name == "gzip"   ? Method::kGzip
         : name == "zstd" ? Method::kZstd
         : name == "none" ? Method::kNone
                          : Method::kAuto;
}

Method method_of_name(std::string_view key) {
  const Ending* ending = find(key);
  return ending ? ending->method : Method::kNone;
}

std::string without_ending(std::string_view key) {
  const Ending* ending = find(key);
  if (!ending) return std::string(key);
  return std::string(key.substr(0, key.size() - ending->text.size())) + std::string(ending->plain);
}

std::vector<Schema> same_streams(const std::vector<SchemaPtr>& in) {
  std::vector<Schema> out;
  for (const auto& schema : in) out.push_back(*schema);
  return out;
}

}  // namespace patchbay
