#include "foreground.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "exec/outcome.h"
#include "signals.h"

namespace posix_daemon {

int EndAs(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  const int signal = WTERMSIG(wait_status);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  ResetSignals();
  kill(getpid(), signal);
  return 128 + signal;  // As shells have it.
}

int FailureCode(const char* step, int error) {
  if (strcmp(step, StepName(Step::kExecve)) != 0) return 125;
  return error == ENOENT ? 127 : 126;
}

}  // namespace posix_daemon
