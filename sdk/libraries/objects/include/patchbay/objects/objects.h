// What every store of objects shares: which objects a source reads, where a sink puts them.
// The options path, select, order, stream and if_exists mean the same in each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/plugin.h"

namespace patchbay {

bool is_pattern(std::string_view path);

// {a,b} written out, also within each other: each alternative a pattern of its own.
std::vector<std::string> expand_braces(const std::string& pattern);

// `*` and `?` stop at a slash, `**` does not; `**/` also stands for nothing; `?` is one UTF-8
// character. Time grows with the product of both lengths, whatever the pattern.
bool matches(const std::string& pattern, std::string_view name);

// As matches, without names that begin with a dot below the pattern's fixed part, unless the
// pattern names the dot, and without the empty objects that stand for folders ("a/").
bool finds(const std::string& pattern, std::string_view name);

// What to list so that every match is among it, each name once: the text before the first wildcard
// of each alternative, less what another one covers.
struct ListedPrefix {
  std::string prefix;
  bool flat;  // nothing below a further slash can match
};
std::vector<ListedPrefix> list_prefixes(const std::string& pattern);

// A single file's name up to its first dot; of a pattern the innermost folder without wildcards, or
// `fallback`.
std::string default_stream(std::string_view path, const std::string& fallback);

struct FoundObject {
  std::string key;
  std::string version;  // changes when the content does: an etag, a generation
  int64_t size = 0;
  int64_t modified = 0;                   // microseconds since the epoch
  Json::Value detail{Json::objectValue};  // into the split
};

// The options of a source: path, stream, select, order.
class ObjectSelection {
 public:
  ObjectSelection(const Config& config, const std::string& default_stream_name);

  const std::string& path() const { return path_; }
  const std::string& stream() const { return stream_; }
  SchemaPtr schema() const { return schema_; }
  bool is_wanted(const std::vector<std::string>& streams) const;  // empty = all
  // In the order that `order` says. Objects that are to be read once have key and version in their
  // split's id.
  std::vector<Split> splits(std::vector<FoundObject> found) const;
  // Warns where `path` names nothing, though each run is to read all there is.
  void warn_of_nothing(const std::vector<FoundObject>& found, Context& context) const;

 private:
  const std::string path_, select_, order_, stream_;
  const SchemaPtr schema_;
};

// A sink's path with {stream}, {key} and {part} filled in.
class ObjectPath {
 public:
  explicit ObjectPath(std::string text) : text_(std::move(text)) {}

  // `part` counts the objects of one writer, from 1. Keys are names from elsewhere: they lose
  // leading slashes and dots, and Error kData refuses those that lead out of the path by `..`.
  std::string fill(const std::string& stream, const std::string& key, uint64_t part) const;
  std::string fixed() const {
    return text_.substr(0, text_.find('{'));
  }  // what all names begin with

  // As fill, and remembers the name for the whole process, since every lane has a component of its
  // own: two objects of one run that would be one are Error kConfig. The same object again, in
  // another transaction, is a repeat. `place` tells apart what has equal paths: a bucket.
  std::string claim(const std::string& place, const std::string& txn, const std::string& stream,
                    const std::string& key, uint64_t part) const;

 private:
  const std::string text_;
};

// Error kConfig for a stream of rows: an encoder is missing before the sink.
void require_objects(const Schema& stream, const std::string& plugin);

}  // namespace patchbay
