// Remembers in a folder which transactions are about to be revealed below it.
//
// A consumer may take a delivered file away at once. If the run dies between the rename and the
// state's commit, the next run finds neither the prepared file nor the delivered one, and has to
// tell "delivered and taken" from "lost": the one must not be delivered again, the other must.
// So reveal marks the folder before its first rename, durably; abort takes the mark off.
//
// The mark is an extended attribute of the folder, one for each transaction. No file, since
// nothing is called after the state's commit that could remove it: a run that is killed there
// would leave it, visible to consumers, for good. Attributes are not listed with the files, and
// only the last few are kept. The alternative, to take every missing file of a recorded epoch for
// delivered, loses rows in silence where somebody removed the hidden file.
//
// File systems without user attributes (xattr(7)) get no mark: there, what is missing counts as
// lost, and is delivered again with a warning of the host's.
#pragma once

#include <string>

namespace patchbay {

// The three take a folder's descriptor and the name of a transaction.
void mark_revealing(int folder, const std::string& path, const std::string& txn);
bool is_marked(int folder, const std::string& txn);
void remove_mark(int folder, const std::string& txn);

}  // namespace patchbay
