// Rows to text files, one per stream: what encoders share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "patchbay/plugin.h"

namespace patchbay {

// The text of one stream's file.
class RowText {
 public:
  virtual ~RowText() = default;
  virtual void begin(std::string& /*out*/) {}
  virtual void rows(std::string& out, const Batch& batch) = 0;
  virtual void end(std::string& /*out*/) {}
};
using MakeRowText = std::function<std::unique_ptr<RowText>(const Schema&)>;

// Reads the input to its end and gives one object per stream, in chunks; `key` is its name,
// {stream} in it the stream's. Memory is bounded by a chunk and a batch. For components with
// "checkpoint": "at_end".
std::unique_ptr<Reader> encode_files(Input input, std::string key, MakeRowText make);

// Streams of objects under the names of the streams: for bind().
std::vector<Schema> object_streams(const std::vector<SchemaPtr>& in);

}  // namespace patchbay
