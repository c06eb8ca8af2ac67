// What each call into a simulated plugin is judged by: calls on one object never overlap.
#pragma once

#include "simulation/world.h"

namespace patchbay::simulation {

// In every object that the host calls.
class Serial {
 public:
  class Call {
   public:
    Call(Serial& serial, const char* what) : serial_(serial) {
      if (serial_.present_)
        World::current().scheduler().fail(std::string("two calls on one object at once: ") +
                                          serial_.present_ + " and " + what);
      serial_.present_ = what;
    }
    ~Call() { serial_.present_ = nullptr; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Serial& serial_;
  };

 private:
  const char* present_ = nullptr;
};

}  // namespace patchbay::simulation
