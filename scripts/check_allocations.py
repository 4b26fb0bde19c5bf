#!/usr/bin/env python3
"""How much memory a step of training takes from the system: next to none.

    scripts/check_allocations.py PROGRAM [--variant packed] [--limit-kib 64]

Trains the tiny model for some steps and for more, with a library before the C library's that adds up what is asked for, and
divides the difference by the steps between. What is left is bookkeeping: a step's windows, its line of the history, and a few
bytes for each fork of the thread pool. Panels, scores and gradients would be megabytes. Prints bytes and requests a step;
exits 1 above the limit. Needs Linux with glibc, and a C compiler.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS = (8, 40)
COUNTER = r"""
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static atomic_long requests, bytes;

static void count(size_t size) { requests++; bytes += size; }

void *malloc(size_t size) { count(size); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { count(number * size); return __libc_calloc(number, size); }
void *realloc(void *place, size_t size) { count(size); return __libc_realloc(place, size); }
void *aligned_alloc(size_t alignment, size_t size) { count(size); return __libc_memalign(alignment, size); }

int posix_memalign(void **place, size_t alignment, size_t size) {
  *place = aligned_alloc(alignment, size);
  return *place == NULL;
}

void *mmap(void *place, size_t size, int protection, int flags, int file, off_t offset) {
  count(size);
  return (void *)syscall(SYS_mmap, place, size, protection, flags, file, offset);
}

__attribute__((destructor)) static void report(void) {
  FILE *file = fopen(getenv("ALLOCATIONS"), "w");
  if (file) { fprintf(file, "%ld %ld\n", requests, bytes); fclose(file); }
}
"""


def fail(problem: str) -> int:
    print(f"check_allocations.py: {problem}", file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--variant", default="packed")
    parser.add_argument("--limit-kib", type=float, default=64)
    options = parser.parse_args()
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        return fail("no C compiler is there, expected cc or clang")
    with tempfile.TemporaryDirectory() as folder:
        (source, library, counts) = (Path(folder, name) for name in ("counter.c", "counter.so", "counts"))
        source.write_text(COUNTER, encoding="utf-8")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        taken = []
        for steps in STEPS:
            command = [
                options.program.resolve(), "train", "--model", "weights/tiny", "--data", "weights/dialogue.txt",
                "--steps", str(steps), "--batch", "4", "--evaluate-every", "0", "--checkpoint-every", "0", "--quiet",
                "--variant", options.variant, "--out", Path(folder, f"model-{steps}"),
            ]  # fmt: skip
            environment = os.environ | {"LD_PRELOAD": str(library), "ALLOCATIONS": str(counts)}
            process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            if process.returncode != 0 or not counts.exists():
                return fail(f"train ended with {process.returncode}: {process.stderr.strip()}")
            taken.append([int(number) for number in counts.read_text(encoding="utf-8").split()])
            counts.unlink()
    (requests, size) = ((more - few) / (STEPS[1] - STEPS[0]) for few, more in zip(*taken, strict=True))
    print(f"a step takes {size / 1024:.1f} KiB in {requests:.0f} requests, allowed {options.limit_kib:g} KiB")
    return 0 if size <= 1024 * options.limit_kib else 1


if __name__ == "__main__":
    sys.exit(main())
