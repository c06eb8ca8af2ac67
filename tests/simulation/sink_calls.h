// What the simulated sinks share: the calls of the ABI, as requests to a SinkSystem.
#pragma once

#include <memory>
#include <string>

#include "patchbay/plugin.h"
#include "simulation/calls.h"

namespace patchbay::simulation {

class PreparingWriter : public patchbay::Writer {
 public:
  PreparingWriter(World& world, SinkSystem& system, std::string token)
      : world_(world), system_(system), token_(std::move(token)) {}

  void write(Call& call, Batch batch) final;
  patchbay::Prepared prepare(Call& call) final;

 protected:
  virtual void take(Call& call, const Batch& batch) = 0;
  // Once, at the prepare: what is written; may refuse rows.
  virtual PreparedRows prepared(Call& call) = 0;
  // Of the batches' rows; after prepared().
  virtual int64_t accepted() const = 0;
  int64_t given() const { return given_; }

  World& world_;
  SinkSystem& system_;

 private:
  void require_unprepared(const char* what) const;

  const std::string token_;
  int64_t given_ = 0;
  bool prepared_ = false;
  Serial serial_;
};

class SimulatedSink : public Sink {
 public:
  explicit SimulatedSink(const Config& config);

  void check(Call&) override {}
  std::unique_ptr<patchbay::Writer> open(Call& call, const SchemaPtr& stream,
                                         const std::string& txn) final;
  void commit(Call& call, const std::string& txn, uint64_t epoch,
              std::span<const std::string> tokens) final;
  void abort(Call& call, std::span<const std::string> txns) final;
  Outcome outcome(Call& call, const std::string& txn, std::span<const std::string> tokens) final;
  uint64_t newest(Call& call) final;

 protected:
  virtual std::unique_ptr<PreparingWriter> make_writer(const SchemaPtr& stream,
                                                       std::string token) = 0;
  EpochName epoch_of(Call& call, const std::string& txn, const char* what);

  World& world_;
  SinkSystem& system_;
  Serial serial_;

 private:
  int writers_ = 0;
};

}  // namespace patchbay::simulation
