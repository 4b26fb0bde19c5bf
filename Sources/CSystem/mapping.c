#include "CSystemMapping.h"
#include "CSystemTerminal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// The handler walks these while others are added and removed, so none is ever freed; a removed one is used again.
struct mapping {
  /// 0 where it is not in use.
  _Atomic(uintptr_t) first;
  uintptr_t end;
  char *line;
  size_t length;
  struct mapping *next;
};

static _Atomic(struct mapping *) mappings;
static pthread_mutex_t changes = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static char *prefix;
static size_t prefix_length;

/// One that is in use from `first` on, 0 for one that is not; NULL where there is none.
static struct mapping *mapping_from(uintptr_t first) {
  struct mapping *mapping = atomic_load(&mappings);
  while (mapping != NULL && atomic_load(&mapping->first) != first) mapping = mapping->next;
  return mapping;
}

void csystem_mapping_add(const void *base, size_t count, const char *line) {
  char *copy = strdup(line);
  if (copy == NULL) return;
  pthread_mutex_lock(&changes);
  struct mapping *mapping = mapping_from(0);
  if (mapping == NULL && (mapping = calloc(1, sizeof *mapping)) != NULL) {
    mapping->next = atomic_load(&mappings);
    atomic_store(&mappings, mapping);
  }
  if (mapping == NULL) {
    free(copy);
  } else {
    free(mapping->line);
    mapping->line = copy;
    mapping->length = strlen(copy);
    mapping->end = (uintptr_t)base + count;
    atomic_store(&mapping->first, (uintptr_t)base);
  }
  pthread_mutex_unlock(&changes);
}

void csystem_mapping_remove(const void *base) {
  pthread_mutex_lock(&changes);
  struct mapping *mapping = mapping_from((uintptr_t)base);
  if (mapping != NULL) atomic_store(&mapping->first, 0);
  pthread_mutex_unlock(&changes);
}

static void say(const char *text, size_t length) {
  if (write(STDERR_FILENO, text, length) < 0) return; // Nobody is left to tell.
}

/// Does only what POSIX allows in a handler.
static void bus_error(int number, siginfo_t *info, void *context) {
  (void)context;
  int is_access = info->si_code > 0;
  uintptr_t address = (uintptr_t)info->si_addr;
  csystem_terminal_restore();
  for (struct mapping *mapping = atomic_load(&mappings); is_access && mapping != NULL; mapping = mapping->next) {
    uintptr_t first = atomic_load(&mapping->first);
    if (first == 0 || address < first || address >= mapping->end) continue;
    say(prefix, prefix_length);
    say(mapping->line, mapping->length);
    say("\n", 1);
    _exit(1);
  }
  // The access is made again when this returns; what was sent is sent again.
  sigaction(SIGBUS, &previous, NULL);
  if (!is_access) raise(number);
}

void csystem_bus_errors_catch(const char *text) {
  pthread_mutex_lock(&changes);
  if (prefix == NULL && (prefix = strdup(text)) != NULL) {
    prefix_length = strlen(prefix);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
  }
  pthread_mutex_unlock(&changes);
}
