// Pipeline files into pipelines. No plugin code runs here.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "environment/environment.h"
#include "manifest/catalog.h"
#include "pipeline/pipeline.h"
#include "pipeline/variables.h"

namespace patchbay::host {

struct ParseOptions {
  Variables set;  // --set
  RunClock clock;
  // Hears the passwords that stand where they have no place, before any message: the redactor.
  std::function<void(std::string_view)> on_password = [](std::string_view) {};
  // False: whether the secrets are there is not asked. Only who runs the pipeline may have them.
  bool secrets = true;
};

// A file, the name of one in the environment's pipelines/, or "-". Throws Error kConfig naming both
// places looked at.
std::string find_pipeline(const std::string& name, const Environment& environment);

// Throws Faults with everything that is wrong, UsageError for an unknown --set name.
Pipeline parse_pipeline(const std::string& file, const Environment& environment,
                        const Catalog& catalog, const ParseOptions& options);

// The same of text that is no file's; `name` stands in messages.
Pipeline parse_pipeline_text(const std::string& name, const std::string& text,
                             const Environment& environment, const Catalog& catalog,
                             const ParseOptions& options);

// The JSON Schema of pipeline files, with the options of every usable plugin.
Json::Value pipeline_schema(const Catalog& catalog);

}  // namespace patchbay::host
