#include "foreground.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "signals.h"

namespace posix_daemon {

int EndAs(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  const int signal = WTERMSIG(wait_status);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  ResetSignals();
  raise(signal);
  return 128 + signal;  // As shells have it.
}

}  // namespace posix_daemon
