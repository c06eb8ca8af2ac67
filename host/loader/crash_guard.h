// Names the plugin and the call that this thread is in, so that a crash inside it is reported as
// such.
#pragma once

#include <string>
#include <string_view>

namespace patchbay::host {

struct CrashSite {
  std::string_view plugin;
  std::string_view node;  // empty outside a pipeline
  std::string_view call;
};

// The site of the innermost guard of this thread, for as long as the guard lives. The texts must
// outlive it.
class CrashGuard {
 public:
  explicit CrashGuard(const CrashSite& site);
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;

 private:
  CrashSite site_;
  const CrashSite* outer_;
};

// Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT: prints which plugin crashed in which call,
// then ends the process with exit code 70. What the next run finds is what it finds after kill -9.
void install_crash_handler();

// Handles an exception that nothing catches. A limit that is reached where nothing can be undone,
// such as of memory while a failure is passed on, ends the process as a temporary failure with the
// limit's name; anything else is a crash.
void install_terminate_handler();

// Gives the calling thread a stack for the handler, so that a stack overflow is reported too.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_;
};

// What the handler writes to stdout: JSON with what happened after `head`, and the node, which may
// be empty, after `middle`. An empty head = nothing.
struct CrashReport {
  std::string head, middle, tail;
};
void set_crash_report(CrashReport report);

}  // namespace patchbay::host
