#include "CSystemThreadMemory.h"

#include <pthread.h>
#include <stdlib.h>

_Thread_local struct csystem_thread_memory csystem_own_memory = {NULL, 0, 0, 0};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_NOTHING
#endif
#endif

#ifdef KEEPS_NOTHING

void csystem_grow_thread_memory(void) {}

#else

static const size_t cache_line = 64;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void release(void *ended) {
  struct csystem_thread_memory *memory = ended;
  free(memory->base);
  *memory = (struct csystem_thread_memory){NULL, 0, 0, 0};
}

static void make_key(void) { pthread_key_create(&key, release); }

void csystem_grow_thread_memory(void) {
  struct csystem_thread_memory *memory = &csystem_own_memory;
  pthread_once(&once, make_key);
  pthread_setspecific(key, memory);
  free(memory->base);
  memory->base = aligned_alloc(cache_line, memory->wanted);
  memory->capacity = memory->base == NULL ? 0 : memory->wanted;
}

#endif
