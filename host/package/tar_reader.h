// Tar archives of strangers, read as they come: nothing is unpacked here, and nothing in them is
// trusted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace patchbay::host {

enum class TarKind { kFile, kHardLink, kSymbolicLink, kDevice, kFolder, kPipe, kOther };

struct TarEntry {
  std::string name;  // as the archive has it, not cut at any limit
  TarKind kind = TarKind::kOther;
  uint64_t size = 0;  // bytes of content
};

// What an archive's entries are given to, in the archive's order.
class TarVisitor {
 public:
  virtual ~TarVisitor() = default;
  // An entry begins. False: its content is passed over.
  virtual bool begin(const TarEntry& entry) = 0;
  virtual void content(std::string_view bytes) = 0;
  virtual void end() = 0;
};

// Takes the archive in pieces of any size. Knows ustar, GNU's long names and sizes, and pax
// headers. Sources: pax(1), https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html;
// GNU tar's manual, https://www.gnu.org/software/tar/manual/html_node/Standard.html
class TarReader {
 public:
  explicit TarReader(TarVisitor& visitor) : visitor_(visitor) {}

  // Throws Error kConfig where the bytes are not those of a tar archive, "is damaged: ..".
  void feed(std::string_view bytes);
  // The archive is whole. Throws where it is not.
  void finish() const;

 private:
  enum class Content { kNone, kVisitor, kSkipped, kName, kHeader };

  void take_header();
  void begin_entry(TarEntry entry);
  size_t take_content(std::string_view bytes);
  void end_content();
  void read_header_records();

  TarVisitor& visitor_;
  std::string block_;  // of the header that is being collected
  Content content_ = Content::kNone;
  uint64_t left_ = 0;     // of the content
  uint64_t padding_ = 0;  // to the next block
  std::string text_;      // of a long name or a pax header
  std::string long_name_;
  std::map<std::string, std::string> records_;  // of the pax header before the next entry
  bool ended_ = false;                          // by a block of zeros
};

}  // namespace patchbay::host
