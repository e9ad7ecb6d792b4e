#pragma once

#include <csignal>
#include <cstddef>

#include "text.h"

namespace posix_daemon {

// Stops this process as SIGTSTP does by default, though it is watched: the kernel leaves it out for a process group
// that nobody in its session could continue, that of the first process of a container or of a daemon.
void StopAsTerminalDoes();

// Has these signals come over the descriptor that it answers, from now on and whatever was inherited; -1 with errno.
// Also keeps a reader's end (SIGPIPE), a file's limit (SIGXFSZ) and the wish for a leased file (SIGIO) from killing.
int WatchSignals(const int* signals, size_t count);

// A watchdog has its guard pass the signal on that this one carries as its value, negative for the program's whole
// process group: they queue, ordinary ones don't.
inline int PassingOnSignal() { return SIGRTMIN; }

// For the program, before its exec: every signal by default, none blocked.
void ResetSignals();

// One signal only.
void ResetSignal(int signal);

// As in SIGTERM.
Text<16> SignalName(int signal);

}  // namespace posix_daemon
