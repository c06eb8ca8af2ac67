// Standard input and output as a store of one object: the path `-`.
#pragma once

#include <cstdio>
#include <map>
#include <mutex>

#include "patchbay/objects/object_store.h"

namespace patchbay {

// Standard input is the object `stdin`, and is read once in the life of the process. What is
// written is spooled, and goes to standard output at commit: it is lost with its process, so a
// later one finds it gone.
class StandardStore final : public ObjectStore {
 public:
  // Throws Error kConfig for options that only stored objects can have.
  explicit StandardStore(const Config& config);

  std::string uri(const std::string& key) const override;

  std::optional<FoundObject> find(Call& call, const std::string& key) override;
  void list(Call& call, const ListedPrefix& below, const TakeObject& take) override;
  std::unique_ptr<Download> open(Call& call, const FoundObject& object) override;

  std::unique_ptr<Upload> begin(Call& call, const Target& target) override;
  Outcome outcome(Call& call, const Json::Value& detail) override;
  Revealed reveal(Call& call, const Json::Value& detail, IfExists if_exists) override;
  void drop(Call& call, std::span<const std::string> txns) override;

  void copy(Call& call, const FoundObject& object, const ObjectName& to) override;
  void remove(Call& call, const FoundObject& object) override;
  void check(Call& call) override;

  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Spool = std::unique_ptr<std::FILE, CloseFile>;

 private:
  const bool is_sink_;
  std::mutex mutex_;
  std::map<std::string, Spool> spools_;  // by transaction; null once written
};

}  // namespace patchbay
