// Arrays as other producers make them: any offset, bitmaps that begin inside a byte, buffers left
// out.
#pragma once

#include <memory>
#include <vector>

#include "patchbay/abi.h"

namespace patchbay {

// Borrows the buffers; releasing it frees nothing.
struct ForeignArray {
  ForeignArray(int64_t length, int64_t offset, int64_t null_count, std::vector<const void*> buffers,
               std::vector<ForeignArray*> children = {})
      : buffers(std::move(buffers)) {
    for (auto* child : children) pointers.push_back(&child->c);
    c.length = length;
    c.offset = offset;
    c.null_count = null_count;
    c.n_buffers = static_cast<int64_t>(this->buffers.size());
    c.buffers = this->buffers.data();
    c.n_children = static_cast<int64_t>(pointers.size());
    c.children = pointers.data();
    c.release = [](ArrowArray* array) { array->release = nullptr; };
  }
  ForeignArray(const ForeignArray&) = delete;
  ForeignArray& operator=(const ForeignArray&) = delete;

  std::vector<const void*> buffers;
  std::vector<ArrowArray*> pointers;
  ArrowArray c{};
};

}  // namespace patchbay
