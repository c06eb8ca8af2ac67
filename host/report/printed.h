// Text that may go to a terminal, a log or a file that people read. Names and values from outside
// cannot control any of them: their control characters are visible escapes.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace patchbay::host {

// Foreign text on one line: \n, \t and \r, \x1b for other control characters, \u202e for those of
// more than a byte, \xff for a byte that is no UTF-8.
std::string one_line(std::string_view text);

// The same, but line breaks stay.
std::string safe_lines(std::string_view text);

// A JSON document whose texts have such characters as \u202e, which says the same.
std::string safe_json(std::string_view document);

// Made of parts. A literal is this program's own and stays as it is, line breaks included; any
// other text is foreign and becomes one line. So whoever puts a line together cannot forget it.
class Printed {
 public:
  Printed() = default;
  template <class... Parts>
  explicit Printed(Parts&&... parts) {
    add(std::forward<Parts>(parts)...);
  }
  Printed(const Printed&) = default;
  Printed(Printed&) = default;
  Printed(Printed&&) = default;
  Printed& operator=(const Printed&) = default;
  Printed& operator=(Printed&&) = default;

  template <class... Parts>
  Printed& add(Parts&&... parts) {
    (put(std::forward<Parts>(parts)), ...);
    return *this;
  }

  // Several lines of foreign text, such as a manifest's documentation.
  static Printed lines(std::string_view text);
  // In a colour or style of terminals: "31" is red.
  static Printed painted(const char* style, const Printed& text);

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  template <size_t N>
  void put(const char (&own)[N]) {
    text_.append(own, N - 1);
  }
  template <size_t N>
  void put(char (&buffer)[N]) = delete;  // no literal
  template <std::same_as<const char*> Text>
  void put(Text foreign) {  // a template, so that a literal is none of its
    text_ += one_line(foreign);
  }
  void put(std::string_view foreign) { text_ += one_line(foreign); }
  void put(const std::string& foreign) { text_ += one_line(foreign); }
  void put(const Printed& printed) { text_ += printed.text_; }

  std::string text_;
};

}  // namespace patchbay::host
