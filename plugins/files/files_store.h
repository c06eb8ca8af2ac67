// Local files as a store of objects.
//
// A file is written under a hidden name beside its target, synced, and renamed at commit. The fixed
// part of a path is the user's: links on it are followed. Below it names come from data, and no
// link is.
#pragma once

#include <mutex>

#include "files_folder.h"
#include "patchbay/objects/object_store.h"

namespace patchbay {

class FileStore final : public ObjectStore {
 public:
  static constexpr const char* kName = "files";
  static constexpr const char* kNoun = "file";
  static std::string default_stream(const Config& config);
  explicit FileStore(const Config& config);

  // The absolute path, with the links of its fixed part resolved.
  std::string uri(const std::string& key) const override;
  std::string id(const std::string& key) const override { return uri(key); }
  std::string earlier_id(const FoundObject& object) const override;

  std::optional<FoundObject> find(Call& call, const std::string& key) override;
  void list(Call& call, const ListedPrefix& below, const TakeObject& take) override;
  std::unique_ptr<Download> open(Call& call, const FoundObject& object) override;

  std::unique_ptr<Upload> begin(Call& call, const Target& target) override;
  Outcome outcome(Call& call, const Json::Value& detail) override;
  Revealed reveal(Call& call, const Json::Value& detail, IfExists if_exists) override;
  void drop(Call& call, std::span<const std::string> txns) override;

  void copy(Call& call, const FoundObject& object, const ObjectName& to) override;
  void remove(Call& call, const FoundObject& object) override;
  void move(Call& call, const FoundObject& object, const ObjectName& to) override;
  void check(Call& call) override;

 private:
  const std::string& real_folder() const;

  const bool is_sink_, create_;
  const std::string path_;
  const std::string fixed_;  // the folder of path_ that no data decides, with its last slash
  mutable std::once_flag once_;
  mutable std::string real_;  // fixed_ as an absolute path without links, with a slash at its end
};

// Whether a file of this name is there. Throws `code` for anything else that is: no file takes its
// place.
bool is_file_there(const Folder& folder, const std::string& name, Code code);

}  // namespace patchbay
