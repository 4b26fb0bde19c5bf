// Vectors of 4, 8 and 16 floats: what the compiler of Swift takes lane by lane, as one operation each. Header only, so that
// they stand in the loop that asks for them.
#ifndef GPT2_BENCH_CSYSTEM_VECTOR_H
#define GPT2_BENCH_CSYSTEM_VECTOR_H

#include <stdint.h>

typedef int32_t csystem_int32x4 __attribute__((vector_size(16)));
typedef int32_t csystem_int32x8 __attribute__((vector_size(32)));
typedef int32_t csystem_int32x16 __attribute__((vector_size(64)));
typedef float csystem_floatx4 __attribute__((vector_size(16)));
typedef float csystem_floatx8 __attribute__((vector_size(32)));
typedef float csystem_floatx16 __attribute__((vector_size(64)));

/// 1 where the CPU that this build is for multiplies and adds in one instruction, else 0.
static inline int csystem_fuses_multiply_add(void) {
#if defined(__FMA__) || defined(__aarch64__)
  return 1;
#else
  return 0;
#endif
}

/// Each vector's operations; `vector` is its type, `integers` one of as many integers.
///
/// - multiply_add: sum + a · b, rounded once where `csystem_fuses_multiply_add`. Elsewhere a fused one would be a call of the
///   C library for each lane, a hundred times as long; there the product is rounded too.
/// - repeated: the number in each lane.
/// - less: which lanes of `a` are below those of `b`, all bits of a lane or none.
/// - replaced: `a` or, where a mask has bits, `b`.
/// - larger: the larger of both lanes; `a` where one is NaN.
/// - clamped: each lane taken into `low`...`high`; NaN stays.
/// - power_of_two: 2ⁿ for each lane whose bits end in the integer n, from −126 to 127.
/// - low_brains, high_brains: the lower and the higher of the two bfloat16 that each lane's bits are.
#define GPT2_BENCH_FLOAT_VECTOR(lanes, vector, integers)                                               \
  static inline vector csystem_multiply_add_##lanes(vector sum, vector a, vector b) {                  \
    return csystem_fuses_multiply_add() ? __builtin_elementwise_fma(a, b, sum) : sum + a * b;          \
  }                                                                                                    \
  static inline vector csystem_repeated_##lanes(float x) { return x - (vector){}; }                    \
  static inline integers csystem_less_##lanes(vector a, vector b) { return a < b; }                    \
  static inline vector csystem_replaced_##lanes(vector a, integers mask, vector b) {                   \
    return (vector)(((integers)a & ~mask) | ((integers)b & mask));                                     \
  }                                                                                                    \
  static inline vector csystem_larger_##lanes(vector a, vector b) {                                    \
    return csystem_replaced_##lanes(a, a < b, b);                                                      \
  }                                                                                                    \
  static inline vector csystem_clamped_##lanes(vector x, vector low, vector high) {                    \
    return csystem_replaced_##lanes(csystem_replaced_##lanes(x, x < low, low), x > high, high);        \
  }                                                                                                    \
  static inline vector csystem_power_of_two_##lanes(vector x) {                                        \
    return (vector)(((integers)x << 23) + (127 << 23));                                                \
  }                                                                                                    \
  static inline vector csystem_low_brains_##lanes(vector x) { return (vector)((integers)x << 16); }    \
  static inline vector csystem_high_brains_##lanes(vector x) {                                         \
    return (vector)((integers)x & (int32_t)0xFFFF0000);                                                \
  }

GPT2_BENCH_FLOAT_VECTOR(4, csystem_floatx4, csystem_int32x4)
GPT2_BENCH_FLOAT_VECTOR(8, csystem_floatx8, csystem_int32x8)
GPT2_BENCH_FLOAT_VECTOR(16, csystem_floatx16, csystem_int32x16)

/// Likewise of integers.
///
/// - floats: each as a float, rounded to nearest.
/// - largest_integer, integer_sum: of all lanes, the sum without what does not fit 32 bits.
/// - low_nibbles, high_nibbles: the lower and the upper half of each byte, as bytes.
#define GPT2_BENCH_INTEGER_VECTOR(lanes, integers, vector)                                             \
  static inline integers csystem_repeated_integers_##lanes(int32_t x) { return (integers){} + x; }     \
  static inline vector csystem_floats_##lanes(integers x) { return __builtin_convertvector(x, vector); } \
  static inline integers csystem_less_integers_##lanes(integers a, integers b) { return a < b; }       \
  static inline integers csystem_larger_integers_##lanes(integers a, integers b) {                     \
    return __builtin_elementwise_max(a, b);                                                            \
  }                                                                                                    \
  static inline int32_t csystem_largest_integer_##lanes(integers x) { return __builtin_reduce_max(x); } \
  static inline int32_t csystem_integer_sum_##lanes(integers x) { return __builtin_reduce_add(x); }    \
  static inline integers csystem_low_nibbles_##lanes(integers x) { return x & 0x0F0F0F0F; }            \
  static inline integers csystem_high_nibbles_##lanes(integers x) { return (x >> 4) & 0x0F0F0F0F; }

GPT2_BENCH_INTEGER_VECTOR(8, csystem_int32x8, csystem_floatx8)
GPT2_BENCH_INTEGER_VECTOR(16, csystem_int32x16, csystem_floatx16)

#endif
