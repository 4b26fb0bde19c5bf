// What Swift has no form of without a check on each access: a function that may be there, and a pointer of each thread.
#ifndef GPT2_BENCH_CSYSTEM_PROBE_H
#define GPT2_BENCH_CSYSTEM_PROBE_H

#include <stddef.h>
#include <stdint.h>

/// Called by `csystem_enter`, where it is not NULL. To be set while nobody enters anything.
extern void (*csystem_listener)(uint32_t mark);

/// Tells the listener of a mark. Without one it is a load and a branch that is not taken.
static inline void csystem_enter(uint32_t mark) {
  if (__builtin_expect(csystem_listener != NULL, 0)) csystem_listener(mark);
}

static inline void csystem_listen(void (*listener)(uint32_t mark)) { csystem_listener = listener; }

/// A pointer that each thread has its own of; NULL at first.
extern _Thread_local void *csystem_thread_room;

static inline void *csystem_room(void) { return csystem_thread_room; }

static inline void csystem_set_room(void *room) { csystem_thread_room = room; }

#endif
