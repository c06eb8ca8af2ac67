// What is outside of patchbay, and outlives its processes: the rows of the sources' systems and the
// sinks' databases.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulation/disk.h"
#include "simulation/model.h"
#include "simulation/scheduler.h"
#include "simulation/sink_system.h"
#include "simulation/source_system.h"

namespace patchbay::simulation {

class World {
 public:
  explicit World(Scheduler& scheduler);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static World& current();

  SourceSystem& source(const std::string& name);
  SinkSystem& sink(const std::string& name);
  const std::map<std::string, std::unique_ptr<SourceSystem>>& sources() const { return sources_; }
  const std::map<std::string, std::unique_ptr<SinkSystem>>& sinks() const { return sinks_; }

  // Of all sources and for ever; ids count from 1.
  const RowData& row(model::Id id) const { return rows_.at(id - 1); }
  const std::vector<RowData>& rows() const { return rows_; }
  RowData& add_row() {
    rows_.emplace_back();
    rows_.back().facts.id = rows_.size();
    return rows_.back();
  }
  void end_row(model::Id id, model::Time at) { rows_.at(id - 1).facts.until = at; }
  void change_key(model::Id id, int64_t key) { rows_.at(id - 1).facts.key = key; }

  // The process is over.
  void leave(const Process& process);

  Scheduler& scheduler() { return scheduler_; }
  Disk& disk() { return disk_; }
  Random& random() { return scheduler_.random(); }

 private:
  Scheduler& scheduler_;
  Disk disk_;
  std::vector<RowData> rows_;
  std::map<std::string, std::unique_ptr<SourceSystem>> sources_;
  std::map<std::string, std::unique_ptr<SinkSystem>> sinks_;
};

}  // namespace patchbay::simulation
