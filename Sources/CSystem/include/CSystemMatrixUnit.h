// The matrix unit of Intel's cores, AMX: products of tiles of 16 rows by 64 bytes. Header only, as CSystemDot.h is.
#ifndef GPT2_BENCH_CSYSTEM_MATRIX_UNIT_H
#define GPT2_BENCH_CSYSTEM_MATRIX_UNIT_H

#include <stdint.h>
#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__linux__)
#define CSYSTEM_HAS_AMX_BF16 1
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/// Whether this build has products of bfloat16 on the matrix unit and the system lets this process use it. Linux gives the
/// unit's registers to those who ask; threads that exist by then have them too (Documentation/arch/x86/xstate.rst).
static inline int csystem_allows_amx_bf16(void) {
#ifdef CSYSTEM_HAS_AMX_BF16
  const long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return 0;
#endif
}

/// What a product on the matrix unit reads and writes, in words of two bfloat16.
typedef struct {
  /// (rows, words), the rows `stride` words apart. 32 rows, or 1 to 16.
  const float *x;
  long stride;
  long rows;
  /// (words, 48), `panel_stride` words from one to the next.
  const float *panel;
  long panel_stride;
  long words;
  /// (rows, 48) in float32, the rows `sum_stride` apart.
  float *sums;
  long sum_stride;
  /// Whether the sums go on from what is there; they start from 0 otherwise.
  int continues;
  /// Cache lines to ask for with every four words, from there on, and floats from one to the next.
  const float *prefetched;
  long prefetch_step;
  long lines_per_block;
} csystem_tile_product;

#ifdef CSYSTEM_HAS_AMX_BF16

/// Sums in tiles 0 to 2, and 3 to 5 for the lower 16 of 32 rows; `inputs` is rows by words, `weights` words by 16.
static inline void csystem_amx_configure(long rows, long words, int is_high) {
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } layout = {.palette = 1};
  for (int tile = 0; tile < 8; tile++) {
    // Of 32 rows: weights are tile 7; else tiles 3 to 5. Inputs are tile 6.
    const int is_weights = is_high ? tile == 7 : tile >= 3 && tile <= 5;
    layout.rows[tile] = (uint8_t)(is_weights ? words : is_high ? 16 : rows);
    layout.row_bytes[tile] = (uint16_t)(tile == 6 ? 4 * words : 64);
  }
  _tile_loadconfig(&layout);
}

static inline void csystem_amx_begin(const csystem_tile_product *product, int is_high, int continues) {
  const long step = 4 * product->sum_stride;
  const float *upper = product->sums, *lower = upper + 16 * product->sum_stride;
  if (!continues) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    if (!is_high) return;
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    return;
  }
  _tile_loadd(0, upper, step);
  _tile_loadd(1, upper + 16, step);
  _tile_loadd(2, upper + 32, step);
  if (!is_high) return;
  _tile_loadd(3, lower, step);
  _tile_loadd(4, lower + 16, step);
  _tile_loadd(5, lower + 32, step);
}

static inline void csystem_amx_end(const csystem_tile_product *product, int is_high) {
  const long step = 4 * product->sum_stride;
  float *upper = product->sums, *lower = upper + 16 * product->sum_stride;
  _tile_stored(0, upper, step);
  _tile_stored(1, upper + 16, step);
  _tile_stored(2, upper + 32, step);
  if (!is_high) return;
  _tile_stored(3, lower, step);
  _tile_stored(4, lower + 16, step);
  _tile_stored(5, lower + 32, step);
}

/// A tile's words of 32 rows: inputs are loaded for each third of the panel, as eight tiles leave no room to keep them.
static inline void csystem_amx_add_high(const float *x, long step, const float *panel, long panel_step) {
  const float *lower = (const float *)((const char *)x + 16 * step);
  _tile_loadd(7, panel, panel_step);
  _tile_loadd(6, x, step);
  _tile_dpbf16ps(0, 6, 7);
  _tile_loadd(6, lower, step);
  _tile_dpbf16ps(3, 6, 7);
  _tile_loadd(7, panel + 16, panel_step);
  _tile_dpbf16ps(4, 6, 7);
  _tile_loadd(6, x, step);
  _tile_dpbf16ps(1, 6, 7);
  _tile_loadd(7, panel + 32, panel_step);
  _tile_dpbf16ps(2, 6, 7);
  _tile_loadd(6, lower, step);
  _tile_dpbf16ps(5, 6, 7);
}

static inline void csystem_amx_add_low(const float *x, long step, const float *panel, long panel_step) {
  _tile_loadd(6, x, step);
  _tile_loadd(3, panel, panel_step);
  _tile_dpbf16ps(0, 6, 3);
  _tile_loadd(4, panel + 16, panel_step);
  _tile_dpbf16ps(1, 6, 4);
  _tile_loadd(5, panel + 32, panel_step);
  _tile_dpbf16ps(2, 6, 5);
}
#endif

/// sums[r, c] (+)= Σ x[r, k] · panel[k, c], sixteen words at a time: the same sums whatever the rows, and however the words
/// are cut into blocks of whole sixteens. Only where `csystem_allows_amx_bf16`; it does nothing in other builds.
static __attribute__((noinline, unused)) void csystem_amx_bf16_product(csystem_tile_product product) {
#ifdef CSYSTEM_HAS_AMX_BF16
  const int is_high = product.rows == 32;
  const long step = 4 * product.stride, panel_step = 4 * product.panel_stride;
  const long rest = product.words % 16;
  const float *x = product.x, *panel = product.panel, *prefetched = product.prefetched;
  int continues = product.continues;
  if (product.words >= 16) {
    csystem_amx_configure(product.rows, 16, is_high);
    csystem_amx_begin(&product, is_high, continues);
    for (long word = 0; word + 16 <= product.words; word += 16) {
      for (long line = 0; line < 4 * product.lines_per_block; line++) {
        __builtin_prefetch(prefetched, 0, 2);
        prefetched += product.prefetch_step;
      }
      if (is_high) {
        csystem_amx_add_high(x, step, panel, panel_step);
      } else {
        csystem_amx_add_low(x, step, panel, panel_step);
      }
      x += 16;
      panel += 16 * product.panel_stride;
    }
    csystem_amx_end(&product, is_high);
    continues = 1;
  }
  if (rest > 0) {
    csystem_amx_configure(product.rows, rest, is_high);
    csystem_amx_begin(&product, is_high, continues);
    if (is_high) {
      csystem_amx_add_high(x, step, panel, panel_step);
    } else {
      csystem_amx_add_low(x, step, panel, panel_step);
    }
    csystem_amx_end(&product, is_high);
  }
  _tile_release();
#else
  (void)product;
#endif
}

/// Sums in six tiles, `passes` products each, of operands that stay in their tiles: the fastest that the unit can be.
static __attribute__((noinline, unused)) void csystem_amx_bf16_loop(long passes, float operand, float *sums) {
#ifdef CSYSTEM_HAS_AMX_BF16
  float operands[256];
  for (int i = 0; i < 256; i++) operands[i] = operand;
  csystem_tile_product product = {.sums = sums, .sum_stride = 48};
  csystem_amx_configure(32, 16, 1);
  csystem_amx_begin(&product, 1, 0);
  _tile_loadd(6, operands, 64);
  _tile_loadd(7, operands, 64);
  for (long pass = 0; pass < passes; pass++) {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
    _tile_dpbf16ps(5, 6, 7);
  }
  csystem_amx_end(&product, 1);
  _tile_release();
#else
  (void)passes;
  (void)operand;
  (void)sums;
#endif
}

#endif
