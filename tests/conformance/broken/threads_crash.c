/* When a component is created, several of the plugin's own threads crash at once. */
#include <pthread.h>

#include "one_transform.h"

BAY_PLUGIN_NOTE(PATCHBAY_PLUGIN_ID, PATCHBAY_PLUGIN_VERSION, 0);

#define THREADS 8
static pthread_barrier_t start;

static void* crash(void* argument) {
  pthread_barrier_wait(&start);
  volatile int* volatile nowhere = argument;
  *nowhere = 1;
  return NULL;
}

static bay_status create(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  (void)call, (void)context, (void)config, (void)out;
  pthread_t threads[THREADS];
  pthread_barrier_init(&start, NULL, THREADS);
  for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, crash, NULL);
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  return BAY_OK;
}

ONE_TRANSFORM(create)
