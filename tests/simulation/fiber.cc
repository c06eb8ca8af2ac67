#include "simulation/fiber.h"

#include <cxxabi.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#ifndef __x86_64__
#error \
    "the switch of stacks is written for x86-64; tests/simulation/CMakeLists.txt leaves others out"
#endif

// What a function must keep for its caller by the System V ABI goes onto the stack that is left.
// https://gitlab.com/x86-psABIs/x86-64-ABI
extern "C" void patchbay_switch_stack(void** left, void* entered);
extern "C" void patchbay_begin_stack();
asm(R"(
.text
.globl patchbay_switch_stack
.type patchbay_switch_stack, @function
patchbay_switch_stack:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  pushq %r12
  .cfi_adjust_cfa_offset 8
  pushq %r13
  .cfi_adjust_cfa_offset 8
  pushq %r14
  .cfi_adjust_cfa_offset 8
  pushq %r15
  .cfi_adjust_cfa_offset 8
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  .cfi_adjust_cfa_offset -8
  popq %r14
  .cfi_adjust_cfa_offset -8
  popq %r13
  .cfi_adjust_cfa_offset -8
  popq %r12
  .cfi_adjust_cfa_offset -8
  popq %rbx
  .cfi_adjust_cfa_offset -8
  popq %rbp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
.size patchbay_switch_stack, .-patchbay_switch_stack

.globl patchbay_begin_stack
.type patchbay_begin_stack, @function
patchbay_begin_stack:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
.size patchbay_begin_stack, .-patchbay_begin_stack
)");

namespace patchbay::simulation {
namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr size_t kGuardBytes = 4096;

// Stacks that were used before need no pages of their own from the kernel.
std::vector<void*>& spare_stacks() {
  static std::vector<void*> stacks;
  return stacks;
}

void* take_stack() {
  auto& spare = spare_stacks();
  if (!spare.empty()) {
    void* memory = spare.back();
    spare.pop_back();
    return memory;
  }
  void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, kGuardBytes, PROT_NONE);  // below: an overflow ends the process
  return memory;
}

}  // namespace

Fiber::Fiber(std::function<void()> work) : work_(std::move(work)), memory_(take_stack()) {
  auto* top = reinterpret_cast<void**>(static_cast<char*>(memory_) + kStackBytes);
  void* const first[] = {nullptr,                                 // r15
                         nullptr,                                 // r14
                         reinterpret_cast<void*>(&Fiber::enter),  // r13
                         this,                                    // r12
                         nullptr,                                 // rbx
                         nullptr,                                 // rbp
                         reinterpret_cast<void*>(&patchbay_begin_stack),
                         nullptr,
                         nullptr};  // keep the stack aligned
  own_ = std::copy(std::begin(first), std::end(first), top - std::size(first)) - std::size(first);
}

Fiber::~Fiber() {
  // What the work holds is the abandoned stack's.
  if (!over_) static_cast<void>(new std::function<void()>(std::move(work_)));
  drop_stack();
}

void Fiber::drop_stack() {
  if (memory_) spare_stacks().push_back(memory_);
  memory_ = nullptr;
}

void Fiber::enter(Fiber* fiber) noexcept {
  std::exchange(fiber->work_, nullptr)();
  fiber->over_ = true;
  fiber->pause();
  std::abort();  // nobody resumes it
}

// The runtime keeps them per thread: a handler that pauses would find those of others.
void Fiber::swap_exceptions() {
  auto* const runtime = reinterpret_cast<Exceptions*>(abi::__cxa_get_globals());
  std::swap(*runtime, exceptions_);
}

void Fiber::resume() {
  swap_exceptions();
  patchbay_switch_stack(&outside_, own_);
  swap_exceptions();
}

void Fiber::pause() { patchbay_switch_stack(&own_, outside_); }

}  // namespace patchbay::simulation
