// A table's new content, loaded beside the old one and put in its place in one transaction.
#pragma once

#include <string>

#include "pg_session.h"

namespace patchbay {

struct BesideTable {
  Relation target, relation;
};

// A table of one's own to which nothing is tied that a new one would not have: views, foreign keys,
// triggers, owned sequences, policies, publications, settings.
bool may_swap(Call& call, postgres::Connection& connection, const Relation& target);

BesideTable make_beside(Call& call, postgres::Connection& connection, const Relation& target,
                        const std::string& txn, const std::string& number);

// Within the same transaction, which holds the target for itself from here on. Grants, indexes and
// their names, constraints, defaults, comments and statistics stay.
void take_place(Call& call, postgres::Connection& connection, const BesideTable& beside);

}  // namespace patchbay
