// Products of narrow numbers, a vector of sums at a time, and what rounding to them takes: conversions and roots. Each is an
// instruction or a few where the CPU that this build is for has them. Header only, so that they stand in the loop that asks
// for them.
#ifndef GPT2_BENCH_CSYSTEM_DOT_H
#define GPT2_BENCH_CSYSTEM_DOT_H

#include <string.h>
#include "CSystemVector.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// √x of each of eight floats. Swift's own is a call of the C library for each, because of negative ones.
static inline csystem_floatx8 csystem_square_roots(csystem_floatx8 x) { return __builtin_elementwise_sqrt(x); }

/// Whether this build has the instruction: each of 16 float sums plus two products of bfloat16.
static inline int csystem_has_avx512_bf16(void) {
#if defined(__AVX512BF16__)
  return 1;
#else
  return 0;
#endif
}

/// Each of 16 integer sums plus four products of an unsigned byte by a signed one.
static inline int csystem_has_avx512_vnni(void) {
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  return 1;
#else
  return 0;
#endif
}

/// The same of eight sums.
static inline int csystem_has_avx_vnni(void) {
#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))
  return 1;
#else
  return 0;
#endif
}

/// What the same takes three instructions with.
static inline int csystem_has_avx2(void) {
#if defined(__AVX2__)
  return 1;
#else
  return 0;
#endif
}

/// sums[i] + a[2i] · b[2i] + a[2i + 1] · b[2i + 1] of bfloat16 pairs. Only where `csystem_has_avx512_bf16`; sums else.
static inline csystem_floatx16 csystem_dot_bf16(csystem_floatx16 sums, csystem_floatx16 a, csystem_floatx16 b) {
#if defined(__AVX512BF16__)
  return (csystem_floatx16)_mm512_dpbf16_ps((__m512)sums, (__m512bh)a, (__m512bh)b);
#else
  (void)a;
  (void)b;
  return sums;
#endif
}

/// sums[i] + Σ a[4i + j] · b[4i + j] for j < 4, a's bytes unsigned and b's signed. Only where
/// `csystem_has_avx512_vnni`; sums else.
static inline csystem_int32x16 csystem_dot_bytes_16(csystem_int32x16 sums, csystem_int32x16 a, csystem_int32x16 b) {
#if defined(__AVX512VNNI__) && defined(__AVX512F__)
  return (csystem_int32x16)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)a, (__m512i)b);
#else
  (void)a;
  (void)b;
  return sums;
#endif
}

/// Likewise of eight sums. Only where `csystem_has_avx_vnni`; sums else.
static inline csystem_int32x8 csystem_dot_bytes_8(csystem_int32x8 sums, csystem_int32x8 a, csystem_int32x8 b) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
  return (csystem_int32x8)_mm256_dpbusd_epi32((__m256i)sums, (__m256i)a, (__m256i)b);
#elif defined(__AVXVNNI__)
  return (csystem_int32x8)_mm256_dpbusd_avx_epi32((__m256i)sums, (__m256i)a, (__m256i)b);
#else
  (void)a;
  (void)b;
  return sums;
#endif
}

/// Likewise, both signed, without an instruction of its own: |a| takes a's sign to b. Neighbouring products are added
/// in 16 bits, which holds two of 128 · 127. Only where `csystem_has_avx2`; sums else.
static inline csystem_int32x8 csystem_dot_signed_bytes_8(
    csystem_int32x8 sums, csystem_int32x8 a, csystem_int32x8 b) {
#if defined(__AVX2__)
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)a), _mm256_sign_epi8((__m256i)b, (__m256i)a));
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  return (csystem_int32x8)_mm256_add_epi32((__m256i)sums, fours);
#else
  (void)a;
  (void)b;
  return sums;
#endif
}

/// Likewise, a's bytes unsigned and at most 15. Only where `csystem_has_avx2`; sums else.
static inline csystem_int32x8 csystem_dot_small_bytes_8(
    csystem_int32x8 sums, csystem_int32x8 a, csystem_int32x8 b) {
#if defined(__AVX2__)
  const __m256i pairs = _mm256_maddubs_epi16((__m256i)a, (__m256i)b);
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  return (csystem_int32x8)_mm256_add_epi32((__m256i)sums, fours);
#else
  (void)a;
  (void)b;
  return sums;
#endif
}

/// Sixteen numbers of half precision, at any address.
static inline csystem_floatx16 csystem_load_halves_16(const void *source) {
#if defined(__AVX512F__)
  return (csystem_floatx16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)source));
#else
  typedef _Float16 halves __attribute__((vector_size(32)));
  halves values;
  memcpy(&values, source, sizeof values);
  return __builtin_convertvector(values, csystem_floatx16);
#endif
}

/// Eight of them.
static inline csystem_floatx8 csystem_load_halves_8(const void *source) {
#if defined(__F16C__)
  return (csystem_floatx8)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)source));
#else
  typedef _Float16 halves __attribute__((vector_size(16)));
  halves values;
  memcpy(&values, source, sizeof values);
  return __builtin_convertvector(values, csystem_floatx8);
#endif
}

/// The lowest byte of each integer, one after the other.
static inline void csystem_store_bytes_16(void *target, csystem_int32x16 values) {
  typedef int8_t bytes __attribute__((vector_size(16)));
  const bytes low = __builtin_convertvector(values, bytes);
  memcpy(target, &low, sizeof low);
}

static inline void csystem_store_bytes_8(void *target, csystem_int32x8 values) {
  typedef int8_t bytes __attribute__((vector_size(8)));
  const bytes low = __builtin_convertvector(values, bytes);
  memcpy(target, &low, sizeof low);
}

/// The nearest bfloat16 of each, ties to even, one after the other. A NaN stays one.
static inline void csystem_store_brain_floats_16(void *target, csystem_floatx16 values) {
  typedef uint32_t bits __attribute__((vector_size(64)));
  typedef uint16_t halves __attribute__((vector_size(32)));
  const bits all = (bits)values;
  const bits rounded = (all + 0x7fff + ((all >> 16) & 1)) >> 16;
  const bits kept = (all >> 16) | 0x40;
  const bits isNaN = (bits)(values != values);
  const halves low = __builtin_convertvector((rounded & ~isNaN) | (kept & isNaN), halves);
  memcpy(target, &low, sizeof low);
}

/// The nearest bfloat16, likewise.
static inline uint16_t csystem_brain_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (uint16_t)(value != value ? (bits >> 16) | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

#endif
