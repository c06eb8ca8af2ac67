// Rows to files, one or several per stream: what encoders share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "patchbay/plugin.h"

namespace patchbay {

// The bytes of one file. Each method appends what is ready to `out`.
class FileEncoder {
 public:
  virtual ~FileEncoder() = default;
  virtual void begin(std::string& /*out*/) {}
  virtual void rows(std::string& out, Batch batch) = 0;
  virtual void end(std::string& /*out*/) {}
};
using MakeFileEncoder = std::function<std::unique_ptr<FileEncoder>(const SchemaPtr&)>;

// How files are named and where one ends and the next begins.
struct FileParts {
  std::string key;    // {stream} in it is the stream's name, {part} the file's number from 00001
  int64_t rows = 0;   // in a file at most; 0 = all
  int64_t bytes = 0;  // after a file has as many, the next batch begins another; 0 = never
};

// The options key, part_rows and part_bytes, which every encoder has. Throws kConfig where there
// may be several files and `key` names only one.
FileParts file_parts(const Config& config);

// Reads the input to its end and gives the objects of each stream, in chunks. Memory is bounded by
// a chunk, a batch and what the encoders hold. For components with "checkpoint": "at_end".
std::unique_ptr<Reader> encode_files(Input input, FileParts parts, MakeFileEncoder make);

// Streams of objects under the names of the streams: for bind().
std::vector<Schema> object_streams(const std::vector<SchemaPtr>& in);

}  // namespace patchbay
