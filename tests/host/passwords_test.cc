// Passwords in URLs and connection strings, however they are written.
#include "pipeline/passwords.h"

#include <gmock/gmock.h>

namespace patchbay::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Passwords, OfUrlsAreFoundAndHidden) {
  const struct {
    const char *text, *password, *shown;
  } kCases[] = {
      {"postgresql://bob:hunter2@h:5432/db?x=1", "hunter2", "postgresql://bob:***@h:5432/db?x=1"},
      {"https://:tok@h", "tok", "https://:***@h"},
      {"pg://bob:a:b@c@h/db", "a:b@c", "pg://bob:***@h/db"},
      {"pg://bob:pa/ss@h/db", "pa/ss", "pg://bob:***@h/db"},
      {"pg://bob:p?a#ss@h", "p?a#ss", "pg://bob:***@h"},
      {"pg://bob:two words@h/db", "two words", "pg://bob:***@h/db"},
      {"see https://u:p1@h/x and the rest", "p1", "see https://u:***@h/x and the rest"},
      {"{\"u\":\"https://u:p1@h\"}", "p1", "{\"u\":\"https://u:***@h\"}"},
      {"pg://bob:123@h", "123", "pg://bob:***@h"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(passwords_in_urls(c.text), ElementsAre(c.password)) << c.text;
    EXPECT_EQ(without_passwords(c.text), c.shown);
  }
  EXPECT_THAT(passwords_in_urls("pg://bob:p%40ss@h"), ElementsAre("p%40ss", "p@ss"));
  EXPECT_THAT(passwords_in_urls("a://u:one@h b://u:two@h"), ElementsAre("one", "two"));
}

TEST(Passwords, ThereAreNoneInOtherTexts) {
  for (const char* text :
       {"", "out.csv", "postgresql://bob@h/db", "https://h:8080/a?mail=x@y", "https://h/a:b@c",
        "https://[::1]:80/x@y", "https://bob:@h", "pg://bob:***@h", "http://h:80", "a: b@c",
        "://u:p@h", "select 'a:b' as \"c@d\"", "gs://bucket/a:b@c"}) {
    EXPECT_THAT(passwords_in_urls(text), IsEmpty()) << text;
    EXPECT_EQ(without_passwords(text), text);
  }
}

TEST(Passwords, OfConnectionsMayBeParametersAndPairs) {
  const struct {
    const char *text, *password;
  } kCases[] = {
      {"host=h password=s3cret user=u", "s3cret"},
      {"host=h\tpassword = 'it\\'s = one' user=u", "it's = one"},
      {"password=s3\\ cret", "s3 cret"},
      {"host=h sslpassword=k", "k"},
      {"postgresql://h/db?password=s3cret", "s3cret"},
      {"postgresql://h/db?a=b&sslpassword=k", "k"},
      {"postgresql://u:s3cret@h/db", "s3cret"},
  };
  for (const auto& c : kCases)
    EXPECT_THAT(passwords_in_connection(c.text), ElementsAre(c.password)) << c.text;
  for (const char* text :
       {"", "host=h user=u", "passfile=/x host=h", "service=password",
        "password=", "postgresql://h/db?passfile=x", "application_name='password=x'"}) {
    EXPECT_THAT(passwords_in_connection(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace patchbay::host
