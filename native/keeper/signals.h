#pragma once

#include <cstddef>

namespace posix_daemon {

// Has these signals come over the descriptor that it answers, from now on and whatever was inherited; -1 with errno.
// Also keeps a reader's end (SIGPIPE) and a file's limit (SIGXFSZ) from killing: they are errnos then.
int WatchSignals(const int* signals, size_t count);

// For the program, before its exec: every signal by default, none blocked.
void ResetSignals();

// The name of a signal, as in SIGTERM, in `buffer` where it needs one.
const char* SignalName(int signal, char* buffer, size_t size);

}  // namespace posix_daemon
