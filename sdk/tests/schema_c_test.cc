// Schemas through the Arrow C Data Interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "every_type.h"
#include "patchbay/error.h"
#include "patchbay/json_value.h"
#include "patchbay/type.h"

namespace patchbay {
namespace {

using testing::HasSubstr;

struct Exported {
  explicit Exported(const Schema& schema) { export_schema(schema, &c); }
  ~Exported() {
    if (c.release) c.release(&c);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  ArrowSchema c{};
};

TEST(SchemaC, ReadsBack) {
  Schema schema = *every_type();
  schema.fields[3].nullable = false;
  schema.fields[19].type.fields[0].nullable = false;
  EXPECT_EQ(import_schema(Exported(schema).c), schema);
}

TEST(SchemaC, EmptySchemasReadBack) {
  EXPECT_EQ(import_schema(Exported({}).c), Schema{});
  EXPECT_EQ(import_schema(Exported({"s", {}, {}}).c), (Schema{"s", {}, {}}));
}

TEST(SchemaC, AReferenceReadsBack) {
  const Schema schema{"s", {{"a", scalar(TypeId::kInt64), true}}, {"a"}, R"({"system": "x"})"};
  EXPECT_EQ(import_schema(Exported(schema).c), schema);
  EXPECT_EQ(schema_from_json(to_json(schema)), schema);
}

TEST(SchemaC, FormatsAreArrows) {
  const Exported exported(*every_type());
  const std::vector<std::string> expected{"b",  "c",  "s",   "i",   "l",    "C",
                                          "S",  "I",  "L",   "f",   "g",    "d:12,3",
                                          "u",  "z",  "tdD", "ttu", "tsu:", "tsu:Europe/Berlin",
                                          "+l", "+s", "+l",  "u"};
  ASSERT_EQ(exported.c.n_children, static_cast<int64_t>(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(exported.c.children[i]->format, expected[i]);
  EXPECT_STREQ(exported.c.format, "+s");
}

// The bytes are the specification's: count, then length and bytes of each key and value, as int32.
TEST(SchemaC, MetadataIsEncodedAsArrowSays) {
  const Exported exported({"s", {{"j", json_text(), true}}, {"a", "b"}});
  const char keys[] = "\1\0\0\0\x0d\0\0\0patchbay.keys\3\0\0\0a\nb";
  EXPECT_EQ(std::memcmp(exported.c.metadata, keys, sizeof keys - 1), 0);
  const char extension[] =
      "\2\0\0\0\x14\0\0\0ARROW:extension:name\x0a\0\0\0arrow.json"
      "\x18\0\0\0ARROW:extension:metadata\0\0\0\0";
  EXPECT_EQ(std::memcmp(exported.c.children[0]->metadata, extension, sizeof extension - 1), 0);
}

TEST(SchemaC, ChildrenMayBeMovedOut) {
  ArrowSchema child{};
  {
    const Exported exported(*every_type());
    child = *exported.c.children[19];
    exported.c.children[19]->release = nullptr;
  }
  EXPECT_STREQ(child.children[1]->children[0]->format, "b");
  child.release(&child);
}

struct Foreign {
  explicit Foreign(const char* format, int64_t n_children = 0) {
    leaf.format = format;
    leaf.name = "leaf";
    leaf.n_children = n_children;
    list.format = "+l";
    list.name = "list";
    list.n_children = 1;
    list.children = &leaf_pointer;
    root.format = "+s";
    root.n_children = 1;
    root.children = &list_pointer;
  }
  ArrowSchema root{}, list{}, leaf{};
  ArrowSchema *leaf_pointer = &leaf, *list_pointer = &list;
};

std::string message_of(const ArrowSchema& schema) {
  try {
    import_schema(schema);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(SchemaC, ANameWithANulIsRefusedAndNotCut) {
  const std::string name("a\0b", 3);
  ArrowSchema out;
  const std::vector<Schema> schemas = {
      {name, {}, {}},
      {"s", {{name, scalar(TypeId::kInt64), true}}, {}},
      {"s", {{"t", struct_of({{name, scalar(TypeId::kInt64), true}}), true}}, {}},
      {"s", {{"l", list_of(struct_of({{name, scalar(TypeId::kInt64), true}})), true}}, {}}};
  for (const auto& schema : schemas) {
    try {
      export_schema(schema, &out);
      FAIL() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData);
      EXPECT_THAT(error.what(), HasSubstr("NUL character"));
    }
  }
}

TEST(SchemaC, UnsupportedTypesAreNamedByPath) {
  for (const char* format :
       {"U",   "Z",   "e",     "w:4",       "tdm",    "tts",    "ttn",      "tss:", "tsn:UTC",
        "tDs", "tiM", "+L",    "+w:3",      "+m",     "+us:0",  "n",        "",     "vu",
        "d:5", "d:",  "d:x,y", "d:5,2,256", "d:39,0", "d:5,-1", "d:5,2junk"}) {
    const Foreign foreign(format);
    EXPECT_THAT(message_of(foreign.root), HasSubstr("list.leaf")) << format;
  }
}

TEST(SchemaC, ForeignSchemasWithoutTheNullableFlagAreNotNullable) {
  const Foreign foreign("u");
  const Schema schema = import_schema(foreign.root);
  EXPECT_FALSE(schema.fields[0].nullable);
  EXPECT_EQ(schema.fields[0].name, "list");
}

TEST(SchemaC, BrokenStructureIsAnError) {
  Foreign foreign("u");
  foreign.leaf.dictionary = &foreign.list;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("dictionary"));
  foreign.leaf.dictionary = nullptr;
  foreign.list.n_children = 0;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("list"));
  foreign.list.n_children = -1;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("list"));
  foreign.list.n_children = 1;
  foreign.list.children = nullptr;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("list"));
  foreign.list.children = &foreign.leaf_pointer;
  foreign.leaf_pointer = nullptr;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("list"));
  foreign.root.format = "u";
  EXPECT_THAT(message_of(foreign.root), HasSubstr("struct"));
}

TEST(SchemaC, EndlessNestingIsAnError) {
  Foreign foreign("u");
  foreign.leaf_pointer = &foreign.list;  // a list of itself
  EXPECT_THAT(message_of(foreign.root), HasSubstr("deeper"));
}

TEST(SchemaC, ScalarsWithChildrenAreRefused) {
  Foreign foreign("u", 1);
  foreign.leaf.children = &foreign.leaf_pointer;
  EXPECT_THAT(message_of(foreign.root), HasSubstr("list.leaf"));
}

}  // namespace
}  // namespace patchbay
