// Signals that ask a run to end.
#ifndef GPT2_BENCH_CSYSTEM_INTERRUPTION_H
#define GPT2_BENCH_CSYSTEM_INTERRUPTION_H

/// From here on SIGINT, SIGTERM and SIGHUP (where it is not ignored, as `nohup` does it) are remembered and end nothing,
/// but for one that comes half a second after the first or later: it ends the process with 128 + its number.
void csystem_interruption_watch(void);

/// The signal that came first; 0 before.
int csystem_interruption_signal(void);

#endif
