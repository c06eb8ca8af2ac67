// A system that patchbay reads: streams of rows in parts, which somebody edits.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "simulation/model.h"
#include "simulation/trouble.h"

namespace patchbay::simulation {

class World;

struct RowData {
  model::Row facts;
  int64_t value = 0;
  bool grown = false;  // has the field that the stream did not have at first
};

enum class SourceKind {
  kCursor,   // parts grow; a row that is changed moves to the end
  kObjects,  // parts are versions of objects, and do not change
  kTables,   // one part per stream, of which no reader leaves a state
};

// What is read in one piece.
struct Part {
  std::string id;
  std::string stream;
  std::string object;  // kObjects: what it is a version of
  int version = 0;
  int64_t order = 0;                 // kObjects: when it was modified
  int64_t number = 0, next_key = 0;  // the others: where its keys begin, and how many it has had
  std::vector<model::Id> rows;       // present ones, by order
  model::Id blob = 0;                // kObjects: the row that stands for it as a whole
};

class SourceSystem {
 public:
  SourceSystem(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  // Before the first edit.
  struct Shape {
    SourceKind kind = SourceKind::kCursor;
    std::vector<std::string> streams;
    int parts = 1;      // of each stream, at first
    bool ties = false;  // rows may have one order, if they came at once
    int64_t keys = 0;   // its keys are greater
  };
  void begin(Shape shape);
  // Somebody changes one thing.
  void edit();

  SourceKind kind() const { return shape_.kind; }
  const std::string& name() const { return name_; }
  const std::vector<std::string>& streams() const { return shape_.streams; }
  // Of a stream, in the order in which a plan lists them.
  std::vector<const Part*> parts_of(const std::string& stream) const;
  const Part* find(const std::string& part) const;
  // The row that stands for this version of an object, also of one that is no more; 0 = unknown.
  model::Id blob_of(const std::string& part) const;
  // When this version of an object was modified, also of one that is no more.
  int64_t order_of(const std::string& part) const;

  Trouble trouble;
  bool grows = false;  // from now on rows may have one field more

 private:
  Part& any_part();
  void add_rows(Part& part, int rows, model::Time now);
  void add_object(const std::string& stream);
  void change_row(Part& part);
  void remove_row(Part& part);
  void new_version(const Part& old);
  void put_version(const std::string& stream, const std::string& name, int version,
                   model::Time now);
  void end_rows(const Part& part, model::Time now);
  int64_t new_key(Part& part);

  World& world_;
  const std::string name_;
  Shape shape_;
  std::map<std::string, Part> parts_;       // by id
  std::map<std::string, model::Id> blobs_;  // by version
  int64_t order_ = 0;                       // of the last row or object
  int objects_ = 0;
};

}  // namespace patchbay::simulation
