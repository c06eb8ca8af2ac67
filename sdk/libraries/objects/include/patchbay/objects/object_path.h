// Names of objects that a template is filled to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay {

// An object's name, of which the user wrote only the front; the rest comes from data.
struct ObjectName {
  std::string key;
  size_t fixed = 0;  // length of the front, up to a slash: `key` never leads out of it
};

// What the placeholders of a template stand for.
struct PathParts {
  std::string_view stream;
  std::string_view key;  // {name} is what follows its last slash
  uint64_t part = 0;     // counts the objects of a stream's part of the run, from 1; 0 = has none
};

// A path with {stream}, {key}, {name} and {part}. Other text in braces stays as it is.
class ObjectPath {
 public:
  // `option` is where the text comes from, for messages.
  ObjectPath(std::string option, std::string text);

  // Keys and streams are names from elsewhere: keys lose leading slashes and dots. Throws Error
  // kConfig for a stream's name with a slash, kData for other names that lead out of the fixed
  // part by `..` or have control characters.
  ObjectName fill(const PathParts& parts) const;
  // As fill, up to the first part that differs from record to record ({key}, {name}, {part}) and
  // cut after its last slash: what a mirror of the stream owns.
  std::string stream_folder(std::string_view stream) const;

  const std::string& text() const { return text_; }
  // The text before the first placeholder, up to its last slash: all names begin with it.
  std::string fixed() const { return text_.substr(0, fixed_); }
  bool is_fixed() const;  // it has no placeholder, so that every object has one name
  bool differs() const;   // from record to record: it has another placeholder than {stream}

 private:
  std::string option_, text_;
  size_t fixed_ = 0;
};

}  // namespace patchbay
