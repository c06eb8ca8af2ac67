// A table's new content, loaded beside the old one and put in its place in one transaction.
#pragma once

#include <string>

#include "patchbay/plugin.h"
#include "pg_session.h"

namespace patchbay {

struct BesideTable {
  Relation target, relation;
};

// A table of one's own on which nothing depends but what a new one will have as well: its indexes,
// constraints and defaults. Whatever else refers to it, of any kind, keeps it in its place.
bool may_swap(Call& call, postgres::Connection& connection, const Relation& target);

BesideTable make_beside(Call& call, postgres::Connection& connection, const Relation& target,
                        const std::string& txn, const std::string& number);

// Within the same transaction, which holds the target for itself from here on. Grants, indexes and
// their names, constraints, defaults, comments and statistics stay. Throws kNotFound where
// something was tied to the target meanwhile: the rows have to be read again.
void take_place(Call& call, Context& context, postgres::Connection& connection,
                const BesideTable& beside);

}  // namespace patchbay
