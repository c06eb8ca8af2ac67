// The simulated plugins: behind the real ABI, on the World.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "manifest/catalog.h"
#include "patchbay/plugin.h"

namespace patchbay::simulation {

std::vector<const bay_component*> source_components();
std::vector<const bay_component*> transform_components();
const bay_component* table_sink();
const bay_component* objects_sink();

class SourceSystem;
class World;
struct Part;
std::unique_ptr<Reader> read_blob(World& world, SourceSystem& system, const Part& part);

// The table, as the entry of a plugin's library returns it; the same for each.
const bay_plugin* load_simulated();

// Their manifests, parsed by the host's own code.
const host::Catalog& simulated_catalog();

}  // namespace patchbay::simulation
