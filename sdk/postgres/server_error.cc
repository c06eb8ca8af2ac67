#include <algorithm>
#include <iterator>

#include "patchbay/postgres.h"

namespace patchbay::postgres {
namespace {

struct StateClass {
  std::string_view prefix;
  Code code;
};

// https://www.postgresql.org/docs/17/errcodes-appendix.html; the first prefix that fits counts.
constexpr StateClass kClasses[] = {
    {"08", Code::kUnavailable},     // connection exceptions
    {"25006", Code::kUnavailable},  // read-only: a standby, or in recovery
    {"25P03", Code::kUnavailable},  // idle in a transaction for too long
    {"25P04", Code::kUnavailable},  // transaction_timeout
    {"40", Code::kUnavailable},     // serialisation failures, deadlocks
    {"53", Code::kUnavailable},     // disk, memory, connections used up
    {"55006", Code::kUnavailable},  // object in use
    {"55P03", Code::kUnavailable},  // lock not available
    {"57014", Code::kUnavailable},  // cancelled by statement_timeout or an administrator
    {"57P", Code::kUnavailable},    // shutdown, crash, starting up
    {"58030", Code::kUnavailable},  // the server's disk
    {"72", Code::kUnavailable},     // snapshot too old
    {"28", Code::kAuth},            // role, password
    {"42501", Code::kAuth},         // privilege
    {"3D", Code::kNotFound},        // database
    {"3F", Code::kNotFound},        // schema
    {"42P01", Code::kNotFound},     // table
    {"42703", Code::kSchema},       // column
    {"42601", Code::kConfig},       // syntax
    {"22", Code::kData},            // data exceptions
    {"23", Code::kData},            // integrity constraints
};

// The classes that the server itself uses. Others come from RAISE, with words of their own.
constexpr std::string_view kOwnClasses[] = {
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22",
    "23", "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
    "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX"};

// What to say where the server's own words may show a value: in another language, whose quotation
// marks differ, or in an encoding.
struct Condition {
  std::string_view prefix, words;
};
constexpr Condition kConditions[] = {
    {"22001", "value too long for the column's type"},
    {"22003", "number beyond the column's type"},
    {"22007", "is no date or time"},
    {"22008", "date or time out of range"},
    {"22021", "bytes that are no text in the client's encoding, or a NUL character"},
    {"22P02", "invalid input for the column's type"},
    {"22P05", "a character that the database's encoding lacks"},
    {"23502", "null in a column that must not be null"},
    {"23503", "violates a foreign key"},
    {"23505", "duplicate key value violates a unique constraint"},
    {"23514", "violates a check constraint"},
    {"23P01", "violates an exclusion constraint"},
    {"22", "a value that the column can't hold"},
    {"23", "violates a constraint"},
    {"", "refused by the server"},
};

Code class_of(const std::string& sqlstate) {
  for (const auto& [prefix, code] : kClasses) {
    if (sqlstate.starts_with(prefix)) return code;
  }
  return Code::kRemote;
}

std::string_view condition_of(const std::string& sqlstate) {
  for (const auto& [prefix, words] : kConditions) {
    if (sqlstate.starts_with(prefix)) return words;
  }
  return "";
}

// Said by a function that somebody wrote: its words may hold anything.
bool is_raised(const ServerError::Fields& f) {
  const std::string state_class = f.sqlstate.substr(0, 2);
  const bool own = std::find(std::begin(kOwnClasses), std::end(kOwnClasses), state_class) !=
                   std::end(kOwnClasses);
  return f.sqlstate == "P0001" || !own || f.source == "exec_stmt_raise" ||
         f.source.starts_with("PLy_") || f.source.starts_with("plperl") ||
         f.source.starts_with("pltcl");
}

}  // namespace

Code class_of_sqlstate(const std::string& sqlstate) { return class_of(sqlstate); }

ServerError::ServerError(const std::string& subject, Fields fields)
    : Error(class_of(fields.sqlstate),
            subject + ": " +
                (is_about_a_row(fields) || is_raised(fields) ? reason(fields) : fields.message) +
                " (SQLSTATE " + fields.sqlstate + ")"),
      fields_(std::move(fields)) {}

bool ServerError::is_about_a_row(const Fields& fields) {
  // A policy's WITH CHECK, or a view's.
  const bool policy = fields.source == "ExecWithCheckOptions";
  return policy || class_of(fields.sqlstate) == Code::kData || fields.sqlstate == "54000" ||
         (is_raised(fields) && class_of(fields.sqlstate) == Code::kRemote);
}

// A value may hold quotes itself: from the first quoted text that is no name, all up to the last
// quote is left out.
std::string ServerError::reason(const Fields& f) {
  if (is_raised(f))
    return "refused by " + (f.function.empty() ? "a function of the database" : f.function);
  const std::string before = f.column.empty() ? "" : f.column + ": ";
  if (f.translated || f.sqlstate == "22021" || f.sqlstate == "22P05") {
    return before + std::string(condition_of(f.sqlstate)) +
           (f.constraint.empty() ? "" : ": " + f.constraint);
  }
  // The server names tables and constraints here; values are in its DETAIL.
  if (f.sqlstate.starts_with("23")) return before + f.message;
  for (size_t at = f.message.find('"'); at != std::string::npos;) {
    const size_t close = f.message.find('"', at + 1);
    if (close == std::string::npos) return before + f.message.substr(0, at) + "\"...\"";
    const std::string quoted = f.message.substr(at + 1, close - at - 1);
    const bool is_name = !quoted.empty() && (quoted == f.table || quoted == f.column ||
                                             quoted == f.constraint || quoted == f.type);
    if (!is_name)
      return before + f.message.substr(0, at) + "\"...\"" +
             f.message.substr(f.message.rfind('"') + 1);
    at = f.message.find('"', close + 1);
  }
  return before + f.message;
}

}  // namespace patchbay::postgres
