// The terminal that a line is edited on: its settings, and signals, whose handlers may only do what POSIX allows there.
#ifndef GPT2_BENCH_CSYSTEM_TERMINAL_H
#define GPT2_BENCH_CSYSTEM_TERMINAL_H

/// What the terminal does with keys.
enum csystem_terminal_mode {
  /// As it was found.
  CSYSTEM_TERMINAL_FOUND,
  /// Every key comes as bytes, at once and unseen.
  CSYSTEM_TERMINAL_KEYS,
  /// As above, but Ctrl-C, Ctrl-\ and Ctrl-Z are signals.
  CSYSTEM_TERMINAL_SIGNALS
};

/// Keeps the settings of the terminal `input`, which are restored when the process exits, stops, or dies of a signal; `output`
/// is where the terminal is told of bracketed paste. Once in a process. 0, or -1 with errno.
int csystem_terminal_open(int input, int output);

/// 0, or -1 with errno.
int csystem_terminal_set(enum csystem_terminal_mode mode);

/// Sets it as it was found, where it is not; nothing before it was opened. May be called in a signal's handler.
void csystem_terminal_restore(void);

/// A descriptor that becomes readable when the terminal's size changes or the process is continued.
int csystem_terminal_events(void);

/// From here on SIGINT interrupts what waits and is remembered; it ends nothing.
void csystem_interrupts_catch(void);

/// Whether SIGINT came since the last call.
int csystem_interrupts_take(void);

#endif
