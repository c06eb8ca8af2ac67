// Whose files are loaded. Runs as root, which alone can give a file away.
#include "loader/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/elf_libraries.h"
#include "manifest/catalog.h"
#include "patchbay/error.h"
#include "temporary_folder.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class TrustTest : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const fs::path file_ = folder_.write("plugins/x.so", "");
  const fs::path dir_ = file_.parent_path();

  std::string refusal(Trust trust = Trust::kRoot) {
    try {
      check_trusted(file_, trust);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kConfig);
      return error.what();
    }
    return "";
  }
};

TEST_F(TrustTest, FilesOfRootThatNobodyElseWritesToAreTrusted) {
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal(Trust::kRootAndOwn), "");
  chmod(file_.c_str(), 0444);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TrustTest, ARefusalNamesFileCauseAndCommand) {
  ASSERT_EQ(chown(file_.c_str(), kNobody, kNobody), 0);
  EXPECT_EQ(refusal(), file_.string() +
                           ": belongs to nobody, not to root, so x.so is not loaded; run `chown "
                           "root: " +
                           file_.string() + "`");
  EXPECT_THAT(refusal(Trust::kRootAndOwn), HasSubstr("belongs to nobody, not to root or you"));
}

TEST_F(TrustTest, WhatOthersMayWriteToIsRefused) {
  for (const auto& path : {file_, dir_, dir_.parent_path()}) {
    struct stat before{};
    ASSERT_EQ(stat(path.c_str(), &before), 0);
    for (const mode_t mode : {0775, 0757, 0777}) {
      chmod(path.c_str(), mode);
      EXPECT_THAT(refusal(), testing::AllOf(HasSubstr(path.string() + ": others than its owner may "
                                                                      "write to it (mode 07"),
                                            HasSubstr("run `chmod go-w " + path.string() + "`")));
    }
    chmod(path.c_str(), before.st_mode);
  }
}

TEST_F(TrustTest, TheWayThroughALinkCountsToo) {
  const fs::path real = folder_.write("elsewhere/y.so", "");
  fs::remove(file_);
  fs::create_symlink(real, file_);
  EXPECT_EQ(refusal(), "");
  chmod(real.parent_path().c_str(), 0777);
  EXPECT_THAT(refusal(), HasSubstr(real.parent_path().string() + ": others"));
}

TEST_F(TrustTest, AStickyFolderMayBeOnTheWayButHoldsNoPlugins) {
  chmod(dir_.parent_path().c_str(), 01777);
  EXPECT_EQ(refusal(), "");
  chmod(dir_.c_str(), 01777);
  EXPECT_THAT(refusal(), HasSubstr("(mode 1777)"));
}

TEST_F(TrustTest, ALinkOfSomebodyElseIsRefused) {
  const fs::path link = folder_.path() / "link";
  fs::create_directory_symlink(dir_, link);
  ASSERT_EQ(lchown(link.c_str(), kNobody, kNobody), 0);
  const auto fault = find_distrust(link / "x.so", Trust::kRootAndOwn, UsedAs::kCode);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->why, link.string() + ": belongs to nobody, not to root or you");
  EXPECT_EQ(fault->command, "chown -h root: " + link.string());
}

TEST_F(TrustTest, AProgramMayLieInAStickyFolder) {
  chmod(dir_.c_str(), 01777);
  EXPECT_FALSE(find_distrust(file_, Trust::kRoot, UsedAs::kCode));
  chmod(dir_.c_str(), 0777);
  EXPECT_TRUE(find_distrust(file_, Trust::kRoot, UsedAs::kCode));
}

TEST_F(TrustTest, StateIsForItsOwnerButAGroupMayWriteAboveIt) {
  const fs::path above = dir_.parent_path();
  const auto fault = [&] { return find_distrust(dir_, Trust::kRootAndOwn, UsedAs::kState); };
  chmod(above.c_str(), 0770);
  EXPECT_FALSE(fault());
  chmod(above.c_str(), 01777);
  EXPECT_FALSE(fault());
  chmod(above.c_str(), 0777);
  EXPECT_EQ(fault()->command, "chmod o-w " + above.string());
  chmod(above.c_str(), 0755);
  for (const mode_t mode : {0770, 0707, 01777}) {
    chmod(dir_.c_str(), mode);
    EXPECT_EQ(fault()->command, "chmod go-w " + dir_.string()) << mode;
  }
}

TEST_F(TrustTest, AFolderForTemporaryOnesIsStickyOrClosed) {
  const auto fault = [&] { return find_distrust(dir_, Trust::kRootAndOwn, UsedAs::kScratch); };
  for (const mode_t mode : {0700, 0775, 01777}) {
    chmod(dir_.c_str(), mode);
    EXPECT_FALSE(fault()) << mode;
  }
  chmod(dir_.c_str(), 0777);
  EXPECT_EQ(fault()->command, "chmod o-w " + dir_.string());
}

TEST_F(TrustTest, LinksInACircleAndPartsThatAreMissingAreLeftToWhoOpensThem) {
  fs::create_symlink("circle", folder_.path() / "circle");
  EXPECT_FALSE(find_distrust(folder_.path() / "circle/x", Trust::kRoot, UsedAs::kCode));
  EXPECT_FALSE(find_distrust(folder_.path() / "gone/x/../y", Trust::kRoot, UsedAs::kCode));
}

TEST_F(TrustTest, ACatalogShowsWhatItDoesNotTrust) {
  folder_.write("plugins/x.json",
                R"({"id": "x", "version": "1", "abi": {"major": 1, "minor": 0}, "library": "x.so",
                     "summary": "s", "components": [{"name": "x", "kind": "source"}]})");
  const PluginDirs dirs{{dir_}, {}, Trust::kRoot};
  EXPECT_NE(Catalog(dirs).find("x")->manifest, nullptr);
  ASSERT_EQ(chown(file_.c_str(), kNobody, kNobody), 0);
  const Catalog catalog(dirs);
  EXPECT_EQ(catalog.find("x")->manifest, nullptr);
  EXPECT_EQ(catalog.find("x")->problem, refusal());
}

TEST_F(TrustTest, WhatIsNoSharedObjectBringsNoLibraries) {
  EXPECT_TRUE(libraries_behind(file_).empty());
  EXPECT_TRUE(libraries_behind(folder_.write("text.so", "INPUT(other.so)")).empty());
}

}  // namespace
}  // namespace patchbay::host
