#include "bigquery_query.h"

#include <algorithm>
#include <regex>

namespace patchbay {
namespace {

// "why at [3:8]" as "line 3, column 8: why".
std::string with_place(const std::string& message, int lines_before) {
  static const std::regex kPlace(R"( at \[(\d{1,6}):(\d{1,6})\]$)");
  std::smatch match;
  if (!std::regex_search(message, match, kPlace)) return message;
  std::string why = match.prefix();
  const int line = std::stoi(match[1]) - lines_before;
  if (line < 1) return why;
  return "line " + std::to_string(line) + ", column " + match[2].str() + ": " + why;
}

}  // namespace

BigQueryText compose_query(const std::vector<std::pair<std::string, std::string>>& tables,
                           const SqlQuery& query) {
  BigQueryText out;
  for (const auto& [name, select] : tables)
    out.sql += (out.sql.empty() ? "WITH `" : ",\n`") + name + "` AS (" + select + ")";
  out.sql += out.sql.empty() ? "SELECT * FROM (\n" : "\nSELECT * FROM (\n";
  out.lines_before = static_cast<int>(std::count(out.sql.begin(), out.sql.end(), '\n'));
  out.sql += query.sql + "\n)";
  return out;
}

void throw_refusal(const SqlQuery& query, const BigQueryText& text, const BqJobOutcome& outcome,
                   const std::string& known) {
  const Code code = outcome.reason == "notFound"                   ? Code::kNotFound
                    : retry_of(outcome.reason) != GoogleRetry::kNo ? Code::kUnavailable
                                                                   : Code::kConfig;
  std::string why = with_place(outcome.message, text.lines_before);
  if (why.ends_with('.')) why.pop_back();
  throw Error(code, query.origin + ": " + why + known);
}

std::string unqualified_table(const std::string& message) {
  static const std::regex kWords(
      R"#(^Table (?:name )?"([^"]+)" (?:must be qualified with a|missing) dataset)#");
  std::smatch match;
  return std::regex_search(message, match, kWords) ? match[1].str() : "";
}

void check_columns(const SqlQuery& query, const Json::Value& fields) {
  static const std::regex kMadeUp("f[0-9]+_");
  for (Json::ArrayIndex i = 0; i < fields.size(); ++i) {
    const std::string name = fields[i]["name"].asString();
    if (!std::regex_match(name, kMadeUp) || query.sql.find(name) != std::string::npos) continue;
    throw Error(Code::kConfig, query.origin + ": column " + std::to_string(i + 1) +
                                   " has no name; give it one with AS");
  }
}

}  // namespace patchbay
