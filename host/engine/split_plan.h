// Splits as they travel: from a source's `plan`, or from a file that an earlier `patchbay plan`
// wrote.
#pragma once

#include <json/value.h>

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"

namespace patchbay::host {

// A piece of a source that one reader reads.
struct SplitPlan {
  std::string id;  // empty: the stream is there, and has nothing to read
  std::string stream;
  bool once = false;
  std::string json;       // as the source put it
  bool resumes = true;    // false: its reader leaves no state
  std::string of;         // what it is a version of; empty where the id holds no version
  bool complete = false;  // all splits of the stream, each from its start, are the whole stream
  Json::Value identity;   // what is read, as the source says; null = it does not
};

// Takes the JSON that a source's `plan` put. Throws Error kData where the stream is missing.
SplitPlan parse_split(const std::string& json);

// A source's split is known by its node and its own id.
std::string split_key(const Node& source, const SplitPlan& split);

// A split with the pipeline's node that reads it.
struct GivenSplit {
  size_t node;
  SplitPlan plan;
};

// Reads what `plan --output json` printed, its list `splits`, or one member of it. Throws Error
// kConfig that names file and member: unreadable, no such source in the pipeline, given twice.
std::vector<GivenSplit> read_splits(const std::filesystem::path& file, const Pipeline& pipeline);

}  // namespace patchbay::host
