/* Rejects rows that are not there. */
#include "one_transform.h"

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

static bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  (void)reader, (void)out;
  struct ArrowArray gone = {0};
  const bay_rejected rejected = {
      .struct_size = sizeof rejected, .stream = TEXT("t"), .rows = &gone};
  return host->reject(call, &rejected);
}

ONE_READER(next)
