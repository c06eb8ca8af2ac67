/* A transform's inputs, several at a time: the host's extension patchbay.inputs/1. C11 and C++20.
 */
#ifndef PATCHBAY_INPUTS_H
#define PATCHBAY_INPUTS_H

#include "patchbay/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BAY_INPUTS_EXTENSION "patchbay.inputs/1"

/* Inputs are told apart by their position in what `open` was given; in `bind`, streams by theirs.
 */
typedef struct bay_inputs_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* Waits until input_next would not wait on one of these n inputs; gives its place among them, or
   * a negative status. One node may feed several inputs: who waits for one of them while it leaves
   * the others full waits for ever. */
  int32_t (*ready)(bay_call*, const uint32_t* inputs, uint32_t n);
  /* The id of the node at the other end, as the pipeline's `from` has it; valid until the call
   * ends. Empty where there is none. */
  bay_str (*from)(bay_call*, uint32_t input);
} bay_inputs_v1;

#ifdef __cplusplus
}

#include <string>
#include <vector>

#include "patchbay/call.h"

namespace patchbay {

// With a host that lacks the extension, inputs are ready in their order and come from nowhere.
class Inputs {
 public:
  explicit Inputs(const Context& context)
      : table_(static_cast<const bay_inputs_v1*>(context.extension(BAY_INPUTS_EXTENSION))) {}

  size_t wait_ready(Call& call, const std::vector<uint32_t>& inputs) const;  // place among them
  std::string from(Call& call, size_t input) const;

 private:
  const bay_inputs_v1* table_;
};

}  // namespace patchbay
#endif

#endif /* PATCHBAY_INPUTS_H */
