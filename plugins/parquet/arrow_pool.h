// Where Arrow's memory comes from.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/status.h>

namespace patchbay {

// mimalloc, where Arrow was built with it: batches are made on one thread and freed on another,
// with which the C library's allocator fragments. Not Arrow's default, which the environment
// chooses and which may start a thread.
inline arrow::MemoryPool* arrow_pool() {
  arrow::MemoryPool* pool = nullptr;
  return arrow::mimalloc_memory_pool(&pool).ok() ? pool : arrow::system_memory_pool();
}

}  // namespace patchbay
