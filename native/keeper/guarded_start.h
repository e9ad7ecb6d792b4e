#pragma once

#include "options.h"

namespace posix_daemon {

struct GuardedStart {
  // From 1 on.
  int worker;
  // The program's standard output and error; -1: this process's own.
  int streams[2];
  // Of its NotifySocket; "" if it has none.
  const char* notify_address;
};

// Forks a guard, which starts the program. Answers its pid and in `message_fd` a pipe of GuardMessages. -1 with errno.
pid_t StartGuarded(const Options& options, const GuardedStart& start, int* message_fd);

}  // namespace posix_daemon
