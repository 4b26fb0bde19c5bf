#ifndef CSYSTEM_SIGNALS_H
#define CSYSTEM_SIGNALS_H

#include <signal.h>
#include <string.h>

/// Has `handler` called for a signal, during which no other signal is held back.
static inline void csystem_handle(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

#endif
