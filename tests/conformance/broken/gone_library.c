/* Needs a library that is no longer installed. */
#include "one_transform.h"

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

int patchbay_gone(void);

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)call, (void)context, (void)config, (void)out;
  return patchbay_gone();
}

ONE_TRANSFORM(create)
