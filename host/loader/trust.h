// Whose files the host uses: the rule of patchbay/trust.h, as refusals.
#pragma once

#include <filesystem>

#include "patchbay/trust.h"

namespace patchbay::host {

// The file, every folder on its way and every link that leads to it must belong to those, and
// nobody else may write to them. Throws Error kConfig naming what is wrong, and the command that
// mends it.
void check_trusted(const std::filesystem::path& file, Trust trust,
                   UsedAs use = UsedAs::kListedCode);

}  // namespace patchbay::host
