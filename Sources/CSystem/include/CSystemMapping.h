// Files that are mapped. One that is cut short while it is mapped answers a read with SIGBUS, which ends a process
// without a word; whoever registers a mapping has the word said.
#ifndef GPT2_BENCH_CSYSTEM_MAPPING_H
#define GPT2_BENCH_CSYSTEM_MAPPING_H

#include <stddef.h>

/// Registers `count` mapped bytes from `base` on, and what is to be said where they can no longer be read; `line` is
/// copied. Where there is no memory for it, nothing is registered.
void csystem_mapping_add(const void *base, size_t count, const char *line);

/// Before it is unmapped.
void csystem_mapping_remove(const void *base);

/// From here on a SIGBUS within a registered mapping restores the terminal, writes the mapping's line to standard error
/// after `prefix`, and ends the process with 1. Any other does what it did before. Only the first call of a process
/// changes anything; `prefix` is copied.
void csystem_bus_errors_catch(const char *prefix);

#endif
