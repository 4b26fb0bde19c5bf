#include "CSystemMapping.h"
#include "CSystemTerminal.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int input = -1;
static int output = -1;
static int events[2] = {-1, -1};
static struct termios found;
static volatile sig_atomic_t current = CSYSTEM_TERMINAL_FOUND;
static atomic_int interrupted;

static const char paste_on[] = "\x1b[?2004h";
static const char paste_off[] = "\x1b[?2004l";

/// tcsetattr and write are safe in a handler.
static int apply(enum csystem_terminal_mode mode) {
  struct termios settings = found;
  if (mode != CSYSTEM_TERMINAL_FOUND) {
    settings.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (mode == CSYSTEM_TERMINAL_KEYS) settings.c_lflag &= ~(tcflag_t)ISIG;
    // Ctrl-C would throw away what was typed ahead, and output that is still on its way.
    settings.c_lflag |= NOFLSH;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
  }
  int result;
  do result = tcsetattr(input, TCSADRAIN, &settings);
  while (result != 0 && errno == EINTR);
  const char *text = mode == CSYSTEM_TERMINAL_FOUND ? paste_off : paste_on;
  if (result == 0 && write(output, text, sizeof paste_on - 1) < 0) result = -1;
  return result;
}

void csystem_terminal_restore(void) {
  if (current == CSYSTEM_TERMINAL_FOUND) return;
  current = CSYSTEM_TERMINAL_FOUND;
  apply(CSYSTEM_TERMINAL_FOUND);
}

static void notice(void) {
  if (events[1] >= 0 && write(events[1], "", 1) < 0) return; // Full: a notice is waiting already.
}

/// Does what the signal does where nobody handles it.
static void die(int number) {
  csystem_terminal_restore();
  csystem_handle(number, SIG_DFL, 0);
  raise(number);
}

static void stop(int number) {
  int error = errno;
  enum csystem_terminal_mode mode = (enum csystem_terminal_mode)current;
  csystem_terminal_restore();
  csystem_handle(number, SIG_DFL, 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(number); // Stops here until it is continued.
  csystem_handle(number, stop, SA_RESTART);
  if (mode != CSYSTEM_TERMINAL_FOUND) csystem_terminal_set(mode);
  notice();
  errno = error;
}

static void resize(int number) {
  (void)number;
  int error = errno;
  notice();
  errno = error;
}

static void interrupt(int number) {
  (void)number;
  atomic_store(&interrupted, 1);
}

int csystem_terminal_open(int in, int out) {
  if (tcgetattr(in, &found) != 0 || pipe(events) != 0) return -1;
  for (int end = 0; end < 2; end++) {
    fcntl(events[end], F_SETFL, O_NONBLOCK);
    fcntl(events[end], F_SETFD, FD_CLOEXEC);
  }
  input = in;
  output = out;
  atexit(csystem_terminal_restore);
  csystem_bus_errors_catch("");
  static const int deadly[] = {SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGALRM};
  for (unsigned long index = 0; index < sizeof deadly / sizeof deadly[0]; index++) csystem_handle(deadly[index], die, 0);
  csystem_handle(SIGTSTP, stop, SA_RESTART);
  csystem_handle(SIGWINCH, resize, SA_RESTART);
  csystem_interrupts_catch();
  return 0;
}

int csystem_terminal_set(enum csystem_terminal_mode mode) {
  // Before the change: a signal in between then restores too much and not too little.
  current = mode == CSYSTEM_TERMINAL_FOUND ? current : (sig_atomic_t)mode;
  int result = apply(mode);
  current = mode;
  return result;
}

int csystem_terminal_events(void) { return events[0]; }

void csystem_interrupts_catch(void) { csystem_handle(SIGINT, interrupt, 0); }

int csystem_interrupts_take(void) { return atomic_exchange(&interrupted, 0); }
