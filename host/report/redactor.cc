#include "report/redactor.h"

#include <algorithm>
#include <cctype>

#include "patchbay/json_text.h"

namespace patchbay::host {
namespace {

constexpr size_t kShortest = 4;  // shorter ones only as whole words: they occur everywhere

std::string url_form(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

std::string json_form(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

// The characters of the base64 form that do not depend on what stands before or after, for each of
// the three phases.
std::vector<std::string> base64_forms(std::string_view text) {
  std::vector<std::string> forms;
  for (size_t lead = 0; lead < 3; ++lead) {
    std::string form = base64(std::string(lead, '\0') + std::string(text));
    while (!form.empty() && form.back() == '=') form.pop_back();
    const size_t head = lead == 0 ? 0 : lead + 1;
    const size_t tail = (lead + text.size()) % 3 == 0 ? 0 : 1;
    if (form.size() > head + tail + 7)
      forms.push_back(form.substr(head, form.size() - head - tail));
  }
  return forms;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool stands_alone(std::string_view text, size_t at, size_t size) {
  return (at == 0 || !is_word(text[at - 1])) &&
         (at + size == text.size() || !is_word(text[at + size]));
}

}  // namespace

void Redactor::learn(std::string_view secret) {
  std::vector<std::string> forms{std::string(secret), url_form(secret), json_form(secret)};
  for (auto& form : base64_forms(secret)) forms.push_back(std::move(form));
  // A secret of several lines (a key file) also leaks line by line.
  for (size_t at = 0; secret.find('\n') != std::string_view::npos && at < secret.size();) {
    const size_t end = std::min(secret.find('\n', at), secret.size());
    if (end - at >= 16) forms.emplace_back(secret.substr(at, end - at));
    at = end + 1;
  }
  const std::unique_lock lock(mutex_);
  for (auto& form : forms) {
    if (!form.empty() && std::find(forms_.begin(), forms_.end(), form) == forms_.end()) {
      forms_.push_back(std::move(form));
    }
  }
  std::sort(forms_.begin(), forms_.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::redact(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  std::string out(text);
  for (const auto& form : forms_) {
    for (size_t at = out.find(form); at != std::string::npos; at = out.find(form, at)) {
      if (form.size() < kShortest && !stands_alone(out, at, form.size())) {
        at += form.size();
        continue;
      }
      out.replace(at, form.size(), "***");
      at += 3;
    }
  }
  return out;
}

}  // namespace patchbay::host
