#include "patchbay/objects/crc32c.h"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

// Values from RFC 3720, B.4.
TEST(Crc32c, IsThatOfTheRfc) {
  const auto crc = [](const std::string& bytes) {
    Crc32c out;
    out.add(bytes);
    return out.value();
  };
  EXPECT_EQ(crc(""), 0u);
  EXPECT_EQ(crc("123456789"), 0xe3069283u);
  EXPECT_EQ(crc(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32c, ComesInPieces) {
  Crc32c crc;
  crc.add("1234");
  crc.add("");
  crc.add("56789");
  EXPECT_EQ(crc.value(), 0xe3069283u);
  EXPECT_EQ(crc.base64(), "4waSgw==");
}

}  // namespace
}  // namespace patchbay
