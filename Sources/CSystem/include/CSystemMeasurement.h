// Values that the optimiser must not see through, and system calls that C's headers name only under _GNU_SOURCE.
// Header only.
#ifndef GPT2_BENCH_CSYSTEM_MEASUREMENT_H
#define GPT2_BENCH_CSYSTEM_MEASUREMENT_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/// The same address, of which the compiler no longer knows where it comes from or what it points to.
static inline const void *csystem_launder(const void *pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

/// The same number, no longer a known one.
static inline int64_t csystem_launder_integer(int64_t value) {
  __asm__ volatile("" : "+r"(value) : : "memory");
  return value;
}

/// Uses whatever the address points to: everything stored there so far must really have been computed.
static inline void csystem_sink(const void *pointer) {
  __asm__ volatile("" : : "r"(pointer) : "memory");
}

/// Asks for the cache line at the address, which need not be a valid one.
static inline void csystem_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

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

/// Writes the numbers of the logical cores that this thread may run on, at most `capacity`, and returns how many
/// it wrote: 0 where the system does not tell.
static inline int csystem_allowed_cpus(int *cpus, int capacity) {
  int count = 0;
#ifdef __linux__
  unsigned long mask[1024];
  const int bits = 8 * (int)sizeof mask[0];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  for (int cpu = 0; cpu < 8 * bytes && count < capacity; cpu++) {
    if (mask[cpu / bits] >> (cpu % bits) & 1) cpus[count++] = cpu;
  }
#else
  (void)cpus;
  (void)capacity;
#endif
  return count;
}

/// Keeps the calling thread on one logical core. 0 where that was done.
static inline int csystem_pin_thread(int cpu) {
#ifdef __linux__
  unsigned long mask[1024] = {0};
  const int bits = 8 * (int)sizeof mask[0];
  if (cpu < 0 || cpu >= 1024 * bits) return -1;
  mask[cpu / bits] = 1ul << (cpu % bits);
  return (int)syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
#else
  (void)cpu;
  return -1;
#endif
}

/// The logical core that the calling thread is on; -1 where the system does not tell.
static inline int csystem_current_cpu(void) {
#ifdef __linux__
  unsigned cpu = 0;
  return syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 ? (int)cpu : -1;
#else
  return -1;
#endif
}

/// The CPU's time counter: it runs at one rate whatever the clock rate, and alike on all cores.
static inline uint64_t csystem_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
#endif
}

/// Returns when all instructions before it have done their work: the time counter, read next, is not read before.
static inline void csystem_await_instructions(void) {
#if defined(__x86_64__)
  __asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/// The system's number of the calling thread; 0 where there is none to be had.
static inline int csystem_thread_id(void) {
#ifdef __linux__
  return (int)syscall(SYS_gettid);
#else
  return 0;
#endif
}

/// Lets a thread of this process run on every logical core that the calling thread may use, except the one that the
/// calling thread is on. Nothing happens where that leaves none.
static inline void csystem_keep_thread_off_this_cpu(int thread) {
#ifdef __linux__
  unsigned long mask[1024] = {0};
  const int bits = 8 * (int)sizeof mask[0];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  unsigned cpu = 0;
  if (bytes <= 0 || syscall(SYS_getcpu, &cpu, NULL, NULL) != 0 || cpu >= 8 * bytes) return;
  mask[cpu / bits] &= ~(1ul << (cpu % bits));
  for (int i = 0; i < (int)(bytes / (long)sizeof mask[0]); i++) {
    if (mask[i] != 0) {
      syscall(SYS_sched_setaffinity, thread, bytes, mask);
      return;
    }
  }
#else
  (void)thread;
#endif
}

#endif
