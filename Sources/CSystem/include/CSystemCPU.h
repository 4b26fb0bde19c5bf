// Whether this CPU has what this build was compiled for.
#ifndef GPT2_BENCH_CSYSTEM_CPU_H
#define GPT2_BENCH_CSYSTEM_CPU_H

#include <stddef.h>

/// Whether Intel made this CPU.
static inline int csystem_is_intel(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("intel") != 0;
#else
  return 0;
#endif
}

/// The first extension that this build uses and this CPU lacks; NULL where it has them all.
static inline const char *csystem_missing_cpu_extension(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#define GPT2_BENCH_REQUIRE(name) \
  if (!__builtin_cpu_supports(name)) return name
#ifdef __SSE4_2__
  GPT2_BENCH_REQUIRE("sse4.2");
#endif
#ifdef __AVX__
  GPT2_BENCH_REQUIRE("avx");
#endif
#ifdef __AVX2__
  GPT2_BENCH_REQUIRE("avx2");
#endif
#ifdef __FMA__
  GPT2_BENCH_REQUIRE("fma");
#endif
#ifdef __BMI2__
  GPT2_BENCH_REQUIRE("bmi2");
#endif
#ifdef __AVX512F__
  GPT2_BENCH_REQUIRE("avx512f");
#endif
#ifdef __AVX512BW__
  GPT2_BENCH_REQUIRE("avx512bw");
#endif
#ifdef __AVX512DQ__
  GPT2_BENCH_REQUIRE("avx512dq");
#endif
#ifdef __AVX512VL__
  GPT2_BENCH_REQUIRE("avx512vl");
#endif
#ifdef __AVX512VNNI__
  GPT2_BENCH_REQUIRE("avx512vnni");
#endif
#ifdef __AVXVNNI__
  GPT2_BENCH_REQUIRE("avxvnni");
#endif
#ifdef __F16C__
  GPT2_BENCH_REQUIRE("f16c");
#endif
#ifdef __AVX512BF16__
  GPT2_BENCH_REQUIRE("avx512bf16");
#endif
#undef GPT2_BENCH_REQUIRE
#endif
  return NULL;
}

#endif
