#include <algorithm>

#include "patchbay/postgres.h"

namespace patchbay::postgres {
namespace {

struct StateClass {
  std::string_view prefix;
  Code code;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html; the first prefix that fits counts.
constexpr StateClass kClasses[] = {
    {"08", Code::kUnavailable},     // connection exceptions
    {"57014", Code::kUnavailable},  // cancelled by statement_timeout or an administrator
    {"57P", Code::kUnavailable},    // shutdown, crash, starting up
    {"40", Code::kUnavailable},     // serialisation failures, deadlocks
    {"53", Code::kUnavailable},     // disk, memory, connections used up
    {"55P03", Code::kUnavailable},  // lock not available
    {"55006", Code::kUnavailable},  // object in use
    {"25006", Code::kUnavailable},  // read-only: a standby, or in recovery
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

// RAISE EXCEPTION: its words may hold anything.
constexpr std::string_view kRaised = "P0001";

Code class_of(const std::string& sqlstate) {
  for (const auto& [prefix, code] : kClasses) {
    if (sqlstate.starts_with(prefix)) return code;
  }
  return Code::kRemote;
}

}  // namespace

ServerError::ServerError(const std::string& subject, Fields fields)
    : Error(class_of(fields.sqlstate),
            subject + ": " + (is_about_a_row(fields) ? reason(fields) : fields.message) +
                " (SQLSTATE " + fields.sqlstate + ")"),
      fields_(std::move(fields)) {}

bool ServerError::is_about_a_row(const Fields& fields) {
  return class_of(fields.sqlstate) == Code::kData || fields.sqlstate == "54000" ||
         fields.sqlstate == kRaised;
}

// A value may hold quotes itself: from the first quoted text that is no name, all up to the last
// quote is left out.
std::string ServerError::reason(const Fields& f) {
  if (f.sqlstate == kRaised) return "refused by a function of the database";
  const std::string before = f.column.empty() ? "" : f.column + ": ";
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
