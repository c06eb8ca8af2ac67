/* Writes through a null pointer when a component is created. */
#include "one_transform.h"

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)call, (void)context, (void)config, (void)out;
  volatile int* volatile nowhere = NULL;
  *nowhere = 1;
  return BAY_OK;
}

ONE_TRANSFORM(create)
