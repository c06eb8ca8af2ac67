// The pipeline that `copy FROM TO` stands for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifest/catalog.h"
#include "manifest/config_check.h"

namespace patchbay::host {

struct CopyRequest {
  std::string from, to;                         // paths or URIs
  std::string from_format, to_format;           // csv, json, ..; empty = by the ending
  std::map<std::string, std::string> settings;  // NODE.OPTION or a key of the file, as text
  bool rows = false;  // files are read as rows even where they could pass as they are
};

struct CopyPipeline {
  std::string text;                // the pipeline file, in YAML
  std::vector<SecretUse> secrets;  // that the command line names: "to.password"
};

// Which plugin takes a scheme or an ending, and what its options get
// from a URI's parts, is said in the manifests' `uris`:
//   schemes   ["gs"]
//   endings   {".csv": {}, ".tsv": {"delimiter": "\t"}}: of names, with the options that they mean
//   wrappers  {".gz": {"method": "gzip"}}: endings behind another one, which stays what it is; the
//             plugin's components encode, with those options, and decode put it on and take it off
//   options   {"bucket": "{host}", "path": "{path}"}; {uri} = the whole, less the parameters taken
//   objects   true: files, whose format follows from their ending
// A URI's parameters are options of the component; `table` is one table. Throws UsageError that
// says what is missing, Error kConfig for a place that holds a password.
CopyPipeline copy_pipeline(const Catalog& catalog, const CopyRequest& request);

}  // namespace patchbay::host
