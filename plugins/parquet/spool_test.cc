#include "spool.h"

#include <arrow/buffer.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "patchbay/error.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

std::string read(arrow::io::RandomAccessFile& file, int64_t at, int64_t size) {
  return file.ReadAt(at, size).ValueOrDie()->ToString();
}

TEST(Spool, GivesTheSameFromMemoryAndFromDisk) {
  for (const int64_t memory : {0, 5, 6, 1000}) {
    Spool spool("file", memory, "/var/tmp");
    spool.append("abc");
    spool.append("");
    spool.append("def");
    EXPECT_EQ(spool.on_disk(), memory < 6);
    EXPECT_EQ(spool.size(), 6);
    const auto file = spool.finish();
    EXPECT_EQ(file->GetSize().ValueOrDie(), 6);
    EXPECT_EQ(read(*file, 0, 6), "abcdef");
    EXPECT_EQ(read(*file, 2, 3), "cde");
    EXPECT_EQ(read(*file, 4, 1000), "ef");
    ASSERT_TRUE(file->Seek(1).ok());
    EXPECT_EQ(file->Read(2).ValueOrDie()->ToString(), "bc");
    EXPECT_EQ(file->Read(2).ValueOrDie()->ToString(), "de");
  }
}

TEST(Spool, AClaimOfGigabytesTakesNoMemory) {
  Spool spool("file", 0, "/var/tmp");
  spool.append("abcdef");
  const auto file = spool.finish();
  EXPECT_EQ(read(*file, 2, int64_t{1} << 40), "cdef");
  EXPECT_EQ(read(*file, 100, 10), "");
}

TEST(Spool, LeavesNothingBehind) {
  const std::filesystem::path folder = testing::TempDir() + "spool_leaves_nothing";
  std::filesystem::create_directories(folder);
  Spool spool("file", 0, folder.string());
  spool.append("abc");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(Spool, AMissingFolderIsTheConfigurationsFault) {
  Spool spool("file", 2, "/nonexistent");
  spool.append("ab");
  try {
    spool.append("c");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_THAT(error.what(),
                HasSubstr("spool_folder: /nonexistent: cannot be used: No such file"));
  }
}

}  // namespace
}  // namespace patchbay
