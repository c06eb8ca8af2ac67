#include "engine_error.h"

#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace patchbay {
namespace {

struct Kind {
  std::string_view prefix;
  Code code;
  std::string_view reason;
  bool no_room = false;
};
constexpr std::string_view kNoRoom =
    "needs more memory or disk than memory_limit and spill_limit allow; raise one of them, or "
    "name a spill_directory with room";
// How DuckDB's messages about data begin, and what can be said of them without their values.
constexpr std::array kKinds{
    Kind{"Conversion Error", Code::kData,
         "a value can't be converted to the type that the query asks for; try_cast makes such "
         "values null"},
    Kind{"Out of Range Error", Code::kData,
         "a number is out of its type's range; cast to a wider type, such as decimal(38, 0)"},
    Kind{"Invalid Input Error", Code::kData, "a function refuses a value"},
    Kind{"Constraint Error", Code::kData, "a constraint refuses a value"},
    Kind{"Mismatch Type Error", Code::kData,
         "a value is of another type than the query takes it for"},
    Kind{"Out of Memory Error", Code::kConfig, kNoRoom, true},
    // An insert that finds no room may leave the engine unable to undo it.
    Kind{"FATAL Error", Code::kConfig, kNoRoom, true},
    Kind{"IO Error", Code::kConfig,
         "the spill_directory can't be written; it may be full or not writable", true},
    Kind{"INTERRUPT Error", Code::kCancelled, "cancelled"},
};

const Kind* kind_of(std::string_view text) {
  for (const auto& kind : kKinds) {
    if (text.starts_with(kind.prefix)) return &kind;
  }
  return nullptr;
}

bool tells_full_disk(std::string_view text) {
  return text.find("No space left on device") != std::string_view::npos ||
         text.find("Disk quota exceeded") != std::string_view::npos;
}

[[noreturn]] void throw_kind(const Kind& kind, const std::string& subject, std::string_view text) {
  const std::string message = subject + std::string(kind.reason);
  if (kind.no_room) throw NoRoom(message, tells_full_disk(text));
  throw Error(kind.code, message);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

struct Message {
  std::string text;  // without the place
  int line = 0;      // 0 = it names none
  int column = 0;    // 0 = only the line is known
};

// "Parser Error: why\n\nLINE 3:   from t\n          ^". A long line is cut to "...part...".
Message read_message(const adbc::Failure& failure, const std::string& sql, int lines_before) {
  Message message;
  const auto lines = lines_of(failure.what());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("LINE ")) {
      if (!lines[i].empty())
        message.text += (message.text.empty() ? "" : "; ") + std::string(lines[i]);
      continue;
    }
    const size_t colon = lines[i].find(": ");
    int line = 0;
    std::from_chars(lines[i].data() + 5, lines[i].data() + lines[i].size(), line);
    message.line = std::max(line - lines_before, 0);
    const auto query_lines = lines_of(sql);
    if (colon == std::string_view::npos || i + 1 >= lines.size() || message.line < 1 ||
        message.line > static_cast<int>(query_lines.size())) {
      break;
    }
    const size_t caret = lines[i + 1].find('^');
    std::string_view shown = lines[i].substr(colon + 2);
    if (caret == std::string_view::npos || caret < colon + 2) break;
    size_t before = caret - colon - 2, cut = 0;
    if (shown.starts_with("...")) {
      shown.remove_prefix(3);
      if (shown.ends_with("...")) shown.remove_suffix(3);
      cut = query_lines[static_cast<size_t>(message.line) - 1].find(shown);
      if (cut == std::string_view::npos || before < 3) break;
      before -= 3;
    }
    message.column = static_cast<int>(cut + before) + 1;
    break;
  }
  return message;
}

std::string place_text(const Message& message) {
  if (message.line == 0) return "";
  std::string text = "line " + std::to_string(message.line);
  if (message.column > 0) text += ", column " + std::to_string(message.column);
  return text + ": ";
}

// The name in "Catalog Error: Table with name NAME does not exist!"; empty for other messages.
std::string unknown_table(std::string_view text) {
  static constexpr std::string_view kBefore = "Catalog Error: Table with name ";
  const size_t end = text.find(" does not exist!");
  if (!text.starts_with(kBefore) || end == std::string_view::npos) return "";
  return std::string(text.substr(kBefore.size(), end - kBefore.size()));
}

}  // namespace

void throw_query_error(const adbc::Failure& failure, const std::string& origin,
                       const std::string& sql, int lines_before) {
  const Message message = read_message(failure, sql, lines_before);
  const std::string subject = origin + ": " + place_text(message);
  if (!failure.executing()) {
    const std::string table = unknown_table(message.text);
    if (!table.empty()) throw UnknownTable(subject + "there is no table " + table, table);
    throw Error(Code::kConfig, subject + message.text);
  }
  if (const Kind* kind = kind_of(failure.what())) throw_kind(*kind, subject, failure.what());
  const std::string_view text = failure.what();
  throw Error(Code::kData, subject + "the engine fails with " +
                               std::string(text.substr(0, std::min(text.find(':'), size_t{40}))));
}

void throw_engine_error(const adbc::Failure& failure, const std::string& subject) {
  const Kind* kind = kind_of(failure.what());
  if (failure.executing() && kind) throw_kind(*kind, subject + ": ", failure.what());
  throw Error(Code::kData, subject + ": " + read_message(failure, "", 0).text);
}

}  // namespace patchbay
