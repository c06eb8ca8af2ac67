#include "sqlite_book.h"

#include <vector>

#include "sqlite_table.h"

namespace patchbay {

using tables::EpochBook;

EpochBook book_of(Database& database) {
  return {EpochBook::kTable, EpochBook::Parameters::kQuestionMarks,
          [&database](const std::string& sql, const std::vector<std::string>& parameters) {
            auto statement = database.compile(sql);
            for (size_t i = 0; i < parameters.size(); ++i)
              statement.bind(static_cast<int>(i) + 1, parameters[i]);
            std::vector<std::string> out;
            while (statement.step()) out.push_back(statement.text(0));
            return out;
          }};
}

namespace {

bool has_book(Database& database) {
  const auto table = find_table(database, EpochBook::kTable);
  return table && table->find("scope");
}

}  // namespace

void require_book(Database& database) {
  if (has_book(database)) return;
  Transaction transaction(database);
  if (has_book(database)) return;  // another process has just made it
  const EpochBook book = book_of(database);
  const bool is_old = find_table(database, EpochBook::kTable).has_value();
  for (const auto& sql : is_old ? book.upgrade_sql() : book.create_sql()) database.execute(sql);
  transaction.commit();
}

}  // namespace patchbay
