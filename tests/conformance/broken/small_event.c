/* Asks for its input's next event without saying how large its own is. */
#include "one_transform.h"

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

static bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  (void)reader, (void)out;
  bay_event event = {0};
  return host->input_next(call, input, &event);
}

ONE_READER(next)
