// Memory that each thread keeps to work in, which Swift has no form of without a check on each access.
#ifndef GPT2_BENCH_CSYSTEM_THREAD_MEMORY_H
#define GPT2_BENCH_CSYSTEM_THREAD_MEMORY_H

#include <stddef.h>

/// Bytes from `base` on, of which the first `used` are lent, or all and more from elsewhere. `wanted` is the most that was
/// asked for at a time. All are whole cache lines of 64 bytes.
struct csystem_thread_memory {
  char *base;
  size_t capacity, used, wanted;
};

extern _Thread_local struct csystem_thread_memory csystem_own_memory;

/// The calling thread's.
static inline struct csystem_thread_memory *csystem_thread_memory(void) { return &csystem_own_memory; }

/// Makes what was wanted the capacity, and loses what was in it: nothing may be lent. It is freed when the thread ends.
/// Does nothing under the address sanitizer, which sees the bounds of what was allocated alone.
void csystem_grow_thread_memory(void);

#endif
