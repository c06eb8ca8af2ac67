#include "report/printed.h"

#include <cstdio>

#include "report/code_points.h"

namespace patchbay::host {
namespace {

void append_escaped(std::string& out, const CodePoint& c) {
  char text[16];
  if (c.valid && c.value == '\n') {
    out += "\\n";
  } else if (c.valid && c.value == '\t') {
    out += "\\t";
  } else if (c.valid && c.value == '\r') {
    out += "\\r";
  } else {
    const char* form = c.valid && c.value > 0x7f ? "\\u%04x" : "\\x%02x";
    std::snprintf(text, sizeof text, form, static_cast<unsigned>(c.value));
    out += text;
  }
}

std::string escaped(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    const bool stays = c.valid && (!is_control(c.value) || (keep_lines && c.value == '\n'));
    if (stays) {
      out += text.substr(0, c.bytes);
    } else {
      append_escaped(out, c);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

}  // namespace

std::string one_line(std::string_view text) { return escaped(text, false); }

std::string safe_lines(std::string_view text) { return escaped(text, true); }

std::string safe_json(std::string_view document) {
  std::string out;
  out.reserve(document.size());
  while (!document.empty()) {
    const CodePoint c = first_code_point(document);
    char text[16];
    if (!c.valid) {
      out += "\\ufffd";  // outside of a text there is none
    } else if (c.value >= 0x7f && is_control(c.value)) {
      std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c.value));
      out += text;
    } else {
      out += document.substr(0, c.bytes);
    }
    document.remove_prefix(c.bytes);
  }
  return out;
}

Printed Printed::lines(std::string_view text) {
  Printed printed;
  printed.text_ = safe_lines(text);
  return printed;
}

Printed Printed::painted(const char* style, const Printed& text) {
  Printed printed;
  printed.text_ = std::string("\033[") + style + "m" + text.text_ + "\033[0m";
  return printed;
}

}  // namespace patchbay::host
