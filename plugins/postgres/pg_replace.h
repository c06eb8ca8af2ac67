// A table's new content, loaded beside the old one and put in its place in one transaction.
#pragma once

#include <string>

#include "patchbay/postgres.h"

namespace patchbay {

struct BesideTable {
  std::string target;    // quoted
  std::string relation;  // where to load: quoted
  bool swap = false;     // by renaming; else the rows move over
};

// Makes the table beside. Swapping needs a table of one's own to which nothing is tied that a new
// one would not have: views, foreign keys, triggers, owned sequences, policies, publications.
BesideTable make_beside(Call& call, postgres::Connection& connection, const std::string& target,
                        const std::string& txn, const std::string& number);

// Within the same transaction, which holds the target for itself from here on. Grants, index names
// and the table's comment stay.
void take_place(Call& call, postgres::Connection& connection, const BesideTable& beside);

}  // namespace patchbay
