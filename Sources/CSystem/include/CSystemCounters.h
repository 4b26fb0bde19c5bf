// The CPU's event counters, as Linux gives them out. Header only.
#ifndef GPT2_BENCH_CSYSTEM_COUNTERS_H
#define GPT2_BENCH_CSYSTEM_COUNTERS_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

/// What can be counted.
enum csystem_counter {
  CSYSTEM_COUNTER_INSTRUCTIONS,
  CSYSTEM_COUNTER_CYCLES,
  CSYSTEM_COUNTER_CACHE_REFERENCES,
  CSYSTEM_COUNTER_CACHE_MISSES,
  CSYSTEM_COUNTER_TASK_CLOCK,
  CSYSTEM_COUNTER_PAGE_FAULTS,
};

/// Opens a counter of the calling thread and of every thread that it and its like start from here on. It counts in user
/// mode, and not yet. The descriptor, or -errno: perf_event_open(2).
static inline int csystem_counter_open(enum csystem_counter counter, int excludes_hypervisor) {
#ifdef __linux__
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_HARDWARE;
  switch (counter) {
  case CSYSTEM_COUNTER_INSTRUCTIONS: attributes.config = PERF_COUNT_HW_INSTRUCTIONS; break;
  case CSYSTEM_COUNTER_CYCLES: attributes.config = PERF_COUNT_HW_CPU_CYCLES; break;
  case CSYSTEM_COUNTER_CACHE_REFERENCES: attributes.config = PERF_COUNT_HW_CACHE_REFERENCES; break;
  case CSYSTEM_COUNTER_CACHE_MISSES: attributes.config = PERF_COUNT_HW_CACHE_MISSES; break;
  case CSYSTEM_COUNTER_TASK_CLOCK:
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_TASK_CLOCK;
    break;
  case CSYSTEM_COUNTER_PAGE_FAULTS:
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_PAGE_FAULTS;
    break;
  }
  attributes.disabled = 1;
  attributes.inherit = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = excludes_hypervisor != 0;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  const long descriptor = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return descriptor < 0 ? -errno : (int)descriptor;
#else
  (void)counter;
  (void)excludes_hypervisor;
  return -ENOSYS;
#endif
}

/// Lets a counter count from here on, on every thread that it is of, or not. 0 where that was done.
static inline int csystem_counter_enable(int descriptor, int enabled) {
#ifdef __linux__
  return ioctl(descriptor, enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
#else
  (void)descriptor;
  (void)enabled;
  return -1;
#endif
}

/// Reads the sums over all threads: the count, and for how many nanoseconds the counter was enabled and really counted.
/// 0 where that was done.
static inline int csystem_counter_read(int descriptor, uint64_t *count, uint64_t *enabled, uint64_t *running) {
  uint64_t values[3] = {0, 0, 0};
  if (read(descriptor, values, sizeof values) != (long)sizeof values) return -1;
  *count = values[0];
  *enabled = values[1];
  *running = values[2];
  return 0;
}

#endif
