#include "report/redactor.h"

#include <algorithm>
#include <cctype>

#include "patchbay/json_text.h"
#include "report/printed.h"

namespace patchbay::host {
namespace {

constexpr size_t kShortest = 4;        // shorter ones only as whole words: they occur everywhere
constexpr size_t kShortestBase64 = 5;  // what is sure of a secret's base64 form
constexpr size_t kShortestInNames = 8;

std::string url_form(std::string_view text, const char* digits, bool form) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else if (form && c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += digits[u >> 4];
      out += digits[u & 15];
    }
  }
  return out;
}

std::string json_form(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string with_escaped_slashes(std::string text) {
  for (size_t at = text.find('/'); at != std::string::npos; at = text.find('/', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
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
    if (form.size() < head + tail + kShortestBase64) continue;
    forms.push_back(form.substr(head, form.size() - head - tail));
    std::string for_urls = forms.back();
    std::replace(for_urls.begin(), for_urls.end(), '+', '-');
    std::replace(for_urls.begin(), for_urls.end(), '/', '_');
    forms.push_back(std::move(for_urls));
  }
  return forms;
}

// A secret of several lines (a key file) also leaks line by line.
std::vector<std::string> long_lines(std::string_view secret) {
  constexpr size_t kLong = 16;
  std::vector<std::string> lines;
  for (size_t at = 0; secret.find('\n') != std::string_view::npos && at < secret.size();) {
    const size_t end = std::min(secret.find('\n', at), secret.size());
    if (end - at >= kLong) lines.emplace_back(secret.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool stands_alone(std::string_view text, size_t at, size_t size) {
  return (at == 0 || !is_word(text[at - 1])) &&
         (at + size == text.size() || !is_word(text[at + size]));
}

}  // namespace

void Redactor::add(std::string form) {
  if (form.empty()) return;
  auto& forms = forms_[static_cast<unsigned char>(form[0])];
  if (std::find(forms.begin(), forms.end(), form) != forms.end()) return;
  const auto shorter = [&](const std::string& other) { return other.size() < form.size(); };
  forms.insert(std::find_if(forms.begin(), forms.end(), shorter), std::move(form));
  any_ = true;
}

void Redactor::learn(std::string_view secret) {
  const std::unique_lock lock(mutex_);
  add(std::string(secret));
  add(one_line(secret));
  for (const char* digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
    for (const bool form : {false, true}) add(url_form(secret, digits, form));
  }
  add(json_form(secret));
  add(with_escaped_slashes(json_form(secret)));
  for (auto& form : base64_forms(secret)) add(std::move(form));
  for (auto& line : long_lines(secret)) {
    add(json_form(line));
    add(one_line(line));
    add(std::move(line));
  }
}

std::string Redactor::redact(std::string_view text) const { return redact(text, 1); }

std::string Redactor::redact(std::string_view text, size_t shortest) const {
  const std::shared_lock lock(mutex_);
  if (!any_) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0, hidden_to = 0; at < text.size(); ++at) {
    for (const auto& form : forms_[static_cast<unsigned char>(text[at])]) {
      if (form.size() < shortest || !text.substr(at).starts_with(form)) continue;
      if (form.size() < kShortest && !stands_alone(text, at, form.size())) continue;
      if (at >= hidden_to) out += "***";
      hidden_to = std::max(hidden_to, at + form.size());
      break;  // the others are shorter
    }
    if (at >= hidden_to) out += text[at];
  }
  return out;
}

Json::Value Redactor::redact_json(const Json::Value& value) const {
  if (value.isString()) return redact(value.asString(), 1);
  Json::Value safe = value;
  if (value.isArray()) {
    for (auto& one : safe) one = redact_json(one);
  } else if (value.isObject()) {
    safe.clear();
    for (const auto& name : value.getMemberNames())
      safe[redact(name, kShortestInNames)] = redact_json(value[name]);
  }
  return safe;
}

}  // namespace patchbay::host
