#include "CSystemInterruption.h"
#include "signals.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/// Tools such as `timeout` signal a process and its group, which brings one wish twice.
static const uint64_t repeat_nanoseconds = 500000000;

static atomic_int first;
/// Of the first, on the monotonic clock; 0 before.
static _Atomic uint64_t moment;

static void note(int number) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  uint64_t now = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec + 1;
  uint64_t known = 0;
  if (atomic_compare_exchange_strong(&moment, &known, now)) {
    atomic_store(&first, number);
  } else if (now > known + repeat_nanoseconds) {
    _exit(128 + number);
  }
}

void csystem_interruption_watch(void) {
  // What waits for a file or a pipe goes on waiting; who waits longer asks for the signal.
  csystem_handle(SIGINT, note, SA_RESTART);
  csystem_handle(SIGTERM, note, SA_RESTART);
  struct sigaction hangup;
  if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) csystem_handle(SIGHUP, note, SA_RESTART);
  // Who started this process may have blocked them.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int csystem_interruption_signal(void) { return atomic_load(&first); }
