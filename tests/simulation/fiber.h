// Stacks that take turns on one thread of the operating system.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace patchbay::simulation {

// A stack with work on it. Not restarted once the work has returned. Deleting one whose work has
// not returned abandons what is on its stack: no destructor runs, as when a process is killed.
class Fiber {
 public:
  // `work` throws nothing.
  explicit Fiber(std::function<void()> work);
  virtual ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From outside of all fibers: runs this one until it pauses or its work returns.
  void resume();
  // Inside this fiber: back to who resumed it.
  void pause();
  bool is_over() const { return over_; }
  // Outside: the stack is used by the next fiber; this one never runs again.
  void drop_stack();

 private:
  struct Exceptions {  // of the C++ runtime: what is thrown and caught on this stack
    void* caught = nullptr;
    unsigned uncaught = 0;
  };
  static void enter(Fiber* fiber) noexcept;
  void swap_exceptions();

  std::function<void()> work_;
  void* memory_;
  void* own_ = nullptr;  // the stack pointers while the other side runs
  void* outside_ = nullptr;
  Exceptions exceptions_;
  bool over_ = false;
};

}  // namespace patchbay::simulation
