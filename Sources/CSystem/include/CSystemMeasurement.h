// Values that the optimiser must not see through, and two system calls that C's headers name only under
// _GNU_SOURCE. Header only.
#ifndef GPT2_BENCH_CSYSTEM_MEASUREMENT_H
#define GPT2_BENCH_CSYSTEM_MEASUREMENT_H

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/// The same address, of which the compiler no longer knows where it comes from or what lies behind it.
static inline const void *csystem_launder(const void *pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

/// The same number, no longer a known one.
static inline int64_t csystem_launder_integer(int64_t value) {
  __asm__ volatile("" : "+r"(value) : : "memory");
  return value;
}

/// Uses whatever lies behind the address: everything stored there so far must really have been computed.
static inline void csystem_sink(const void *pointer) {
  __asm__ volatile("" : : "r"(pointer) : "memory");
}

#ifdef __linux__
/// As <unistd.h> declares it, but only under _GNU_SOURCE.
int pipe2(int ends[2], int flags);
#endif

/// `pipe`, its ends closed on exec: on Linux from the start, elsewhere a moment later.
static inline int csystem_pipe(int *ends) {
#ifdef __linux__
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

/// Logical cores that this process may run on, or 0 where the system does not tell.
static inline int csystem_affinity_count(void) {
#ifdef __linux__
  unsigned long mask[1024];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int count = 0;
  for (long word = 0; word < bytes / (long)sizeof mask[0]; word++) count += __builtin_popcountl(mask[word]);
  return count;
#else
  return 0;
#endif
}

#endif
