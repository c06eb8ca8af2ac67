// JSON records into batches by a declared schema: simdjson on demand, no tree per record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patchbay/builder.h"
#include "patchbay/call.h"

namespace patchbay {

// Where the records of a text are.
struct RecordsAt {
  // Object keys, or places in lists, that lead to the list of records, or to the one record.
  std::vector<std::string> path;
  bool lines = false;  // one record per line instead
};

// Reads texts of records for one stream. A record that does not fit is refused whole, with JSON
// path, expected and found type; a field that the schema lacks goes by the pipeline's policy, and
// may widen the schema.
class JsonRecords {
 public:
  // `base` is the declared schema. `position` gives the position JSON of a refused record from its
  // text; may be null.
  JsonRecords(Schema base, std::function<std::string(std::string_view record)> position);
  ~JsonRecords();

  // Parses one text, a whole document. Records wait in finished batches and in the open one. Gives
  // why it is no JSON, if it is none: then nothing of it was taken. Throws Error kData where it has
  // no records at the place; the message names `what` (a URL without secrets, a file).
  std::optional<std::string> parse(Call& call, std::string text, const RecordsAt& at,
                                   const std::string& what);

  // The same with one record's text; `readable` bytes can be read from its beginning, simdjson's
  // padding behind it included. Gives why it is no JSON, if it is none: then nothing of it was
  // taken, and it is the caller's to refuse or to fail.
  std::optional<std::string> parse_record(Call& call, std::string_view text, size_t readable);
  void refuse_text(Call& call, const std::string& why, std::string_view text);

  SchemaPtr schema() const;
  // Batches so far, each with the schema that it was made under; the open one is closed when `all`.
  std::vector<Batch> take(bool all);
  int64_t records() const;  // seen so far, refused ones included
  int64_t open_rows() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// What a JSON value is called in messages and which type a new field of it gets: string utf8,
// integer int64, number float64, true and false bool, all else arrow.json.
Type type_of_json(std::string_view value);

// Fields of records, by what they hold: numbers widen to float64 where it holds them, whole ones
// beyond int64 to decimal128; objects and lists are merged; what does not go together is
// arrow.json. Fields that are always null are utf8.
class JsonGuess {
 public:
  JsonGuess();
  ~JsonGuess();
  void see(std::string_view record);  // what is no JSON tells nothing
  std::vector<Field> fields() const;  // in the order of their first appearance

 private:
  struct State;
  std::unique_ptr<State> state_;
};
// Nothing for a text that is no JSON.
std::optional<std::vector<Field>> guess_json_fields(const std::string& text, const RecordsAt& at);

// A member of a record that is a whole number, looked for as far as need be: what else the record
// holds may be broken, too deep or half a character.
std::optional<int64_t> integer_member(std::string_view record, std::string_view name);

// Is the text one whole JSON document? For answers that may be cut or be no JSON at all.
bool is_json(std::string_view text);

}  // namespace patchbay
