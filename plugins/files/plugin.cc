#include "files_store.h"
#include "patchbay/objects/object_sink.h"
#include "patchbay/objects/object_source.h"
#include "standard_store.h"

namespace patchbay {
namespace {

bool is_standard(const Config& config) { return config.get<std::string>("path") == "-"; }

std::unique_ptr<ObjectStore> make_store(const Config& config) {
  if (is_standard(config)) return std::make_unique<StandardStore>(config);
  return std::make_unique<FileStore>(config);
}

class FilesSource final : public ObjectSource {
 public:
  FilesSource(Context& context, const Config& config)
      : ObjectSource(
            context, config, make_store(config),
            {FileStore::kNoun, is_standard(config) ? "stdin" : FileStore::default_stream(config)}) {
  }
};

class FilesSink final : public ObjectSink {
 public:
  FilesSink(Context& context, const Config& config)
      : ObjectSink(context, config, make_store(config), FileStore::kName) {}
};

}  // namespace
}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::FilesSource>("files"),
                patchbay::component<patchbay::FilesSink>("files"))
