// What the threads of a lane do: one class per kind of node.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/lane_attempt.h"
#include "engine/services.h"

namespace patchbay::host {

// A stream as one node sees it.
struct StreamSeen {
  SchemaPtr schema;
  std::string origin;   // the source's stream, under which the report counts it
  bool object = false;  // of files: its rows are chunks, not records
};

// Throws kInternal where a stream is by reference and its node's manifest does not say so, or where
// it sends rows all the same.
void check_reference(const Node& node, const Schema& schema, bool rows);

// The services of a node while data flows: what it refuses belongs to the epoch that the node is
// in.
class StageServices : public BasicServices {
 public:
  StageServices(LaneAttempt& lane, RunContext& run, EpochLedger& ledger, size_t node,
                const CancelToken& cancel)
      : BasicServices(run, node, cancel), lane_(lane), ledger_(ledger) {}

  bay_status reject(RejectedRows rejected) override;

  void claim(std::string_view name) override;

  uint64_t at_epoch = 0;      // counted within the lane
  int64_t rejected_rows = 0;  // during this call and earlier ones; the stage takes it back to 0
  // The stream of that name as the node sees it; null where it never came.
  std::function<const StreamSeen*(const std::string& stream)> find_stream;

 protected:
  LaneAttempt& lane_;
  EpochLedger& ledger_;
};

class SourceStage {
 public:
  SourceStage(LaneAttempt& lane, const LaneSource& source);
  ~SourceStage();
  void run();
  // After a failure that the data is to blame for; no other thread uses the stage any more.
  void tell_refused(Code why);

 private:
  class Services;
  struct Live {  // a reader whose epochs are not all committed yet
    std::unique_ptr<ReaderHandle> reader;
    uint64_t first, last;
  };
  void read(const LaneSplit& split);
  void on_stream(std::vector<uint32_t>& indexes, const HostEvent& event);
  void on_batch(const std::vector<uint32_t>& indexes, HostEvent event);
  void count_given(int64_t rows, int64_t bytes);
  bool epoch_due() const;
  bool try_end_epoch(const LaneSplit& split, ReaderHandle& reader);
  bool add_state(const LaneSplit& split, ReaderHandle& reader, bool ended);
  StreamRef stream_of(const LaneSplit& split) const;
  void end_epoch();
  void tell_committed();
  void require_open(bool open);
  bool limit_reached(const LaneSplit& split);

  LaneAttempt& lane_;
  RunContext& run_;
  const LaneSource& source_;
  Outlet outlet_;
  std::unique_ptr<Services> services_;
  std::vector<StreamSeen> streams_;  // by index on the edge
  std::map<std::string, uint32_t> index_by_name_;
  std::deque<Live> live_;
  std::string split_stream_;
  std::string last_state_;
  bool at_object_end_ = true;
  bool state_is_behind_ = false;  // what the reader gave since last_state_ is not covered by it
  uint64_t told_ = 0;             // epochs whose commit the readers know of
  int64_t epoch_rows_ = 0;
  int64_t epoch_bytes_ = 0;
  std::chrono::steady_clock::time_point epoch_start_;
};

class TransformStage {
 public:
  TransformStage(LaneAttempt& lane, size_t node);
  ~TransformStage();
  void run();

 private:
  class Services;
  void on_stream(const HostEvent& event);
  void on_batch(HostEvent event);
  bool has_enough() const;
  void end_of_limit();
  bool holds_back() const;
  void release_held(bool at_end);
  std::string origin_of(const std::string& stream) const;
  bool encodes() const;  // records in, files out
  bool decodes() const;  // files in, records out

  LaneAttempt& lane_;
  RunContext& run_;
  const size_t node_;
  Outlet outlet_;
  std::unique_ptr<Services> services_;
  std::vector<StreamSeen> streams_;  // by index on the outgoing edge
  // Files that an encoder began before any row came: nothing new makes no file.
  std::vector<std::pair<uint32_t, Batch>> held_;
};

class SinkStage {
 public:
  SinkStage(LaneAttempt& lane, size_t node);
  ~SinkStage();
  void run();

 private:
  class Services;
  struct Open {
    std::unique_ptr<WriterHandle> writer;
    int64_t rows = 0;
  };
  struct Incoming {
    StreamSeen seen;
    std::vector<std::string> refused;  // fields: rows that have one are rejected
    std::unique_ptr<Open> open;
  };
  using Key = std::pair<size_t, uint32_t>;  // input and stream

  void on_stream(const Key& key, EdgeEvent event);
  void on_batch(const Key& key, EdgeEvent event);
  void open_writer(Incoming& incoming);
  void refuse_silence() const;
  Batch without_refused(const Incoming& incoming, Batch batch);
  void prepare(Incoming& incoming);
  void end_epoch();

  LaneAttempt& lane_;
  RunContext& run_;
  const size_t node_;
  Instance& instance_;
  const bool replaces_;
  std::unique_ptr<Services> services_;
  std::map<Key, Incoming> streams_;
  std::vector<std::string> tokens_;
};

class CollectorStage {
 public:
  CollectorStage(LaneAttempt& lane, const Collector& collector, Inbox& inbox)
      : lane_(lane), collector_(collector), inbox_(inbox) {}
  void run();

 private:
  LaneAttempt& lane_;
  const Collector& collector_;
  Inbox& inbox_;
};

}  // namespace patchbay::host
