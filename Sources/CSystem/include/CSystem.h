// What Swift cannot name: the compiler's own view of the target CPU.
#ifndef GPT2_BENCH_CSYSTEM_H
#define GPT2_BENCH_CSYSTEM_H

#include "CSystemCPU.h"
#include "CSystemCounters.h"
#include "CSystemDot.h"
#include "CSystemInterruption.h"
#include "CSystemMapping.h"
#include "CSystemMatrixUnit.h"
#include "CSystemMeasurement.h"
#include "CSystemProbe.h"
#include "CSystemTerminal.h"
#include "CSystemThreadMemory.h"
#include "CSystemVector.h"

#ifndef GPT2_BENCH_CPU_FLAG
#define GPT2_BENCH_CPU_FLAG ""
#endif

/// The CPU flag this build was compiled with, as it stood on the compiler's command line.
static inline const char *csystem_cpu_flag(void) { return GPT2_BENCH_CPU_FLAG; }

/// Bytes in the widest float vector register that this build's code may use (16, 32 or 64).
static inline int csystem_vector_bytes(void) {
#if defined(__AVX512F__)
  return 64;
#elif defined(__AVX__)
  return 32;
#else
  return 16;
#endif
}

/// Float vector registers that this build's code may use.
static inline int csystem_vector_registers(void) {
#if defined(__AVX512F__) || defined(__aarch64__)
  return 32;
#else
  return 16;
#endif
}

/// Asks for a cache line, to be in the second-level cache when it is wanted. Any address will do.
static inline void csystem_prefetch_ahead(const void *address) { __builtin_prefetch(address, 0, 2); }

/// Tells the core that this thread is spinning, so that it saves power and yields to a sibling thread. On arm64 `yield`
/// does nothing on most cores; `isb` drains the pipeline and so lasts about as long as `pause` does on x86-64.
static inline void csystem_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" : : : "memory");
#endif
}

#endif
