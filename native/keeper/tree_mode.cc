#include "tree_mode.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>

#include "descendants.h"
#include "foreground.h"
#include "signals.h"

namespace posix_daemon {

namespace {

// What the terminal sends its foreground group is the worker's and the watchdog's affair; a keeper that stopped
// couldn't kill, and one that died would take the worker along.
constexpr int kSignals[] = {SIGCHLD, SIGCONT, SIGTERM, SIGHUP,  SIGINT, SIGQUIT,
                            SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2};

// Reaps what has ended; whether the worker has.
bool Reap(pid_t worker, int* status) {
  bool ended = false;
  int other;
  for (pid_t pid; (pid = waitpid(-1, &other, WNOHANG)) > 0;) {
    if (pid != worker) continue;
    *status = other;
    ended = true;
  }
  return ended;
}

// Waits for the next signals; whether one of them asks for the end. So does SIGCONT from the watchdog, which the kernel
// also sends in its name when it dies: of all signals that can wait it is the only one that gets a stopped keeper
// going. From others, a shell's `fg` for one, it means nothing.
bool AskedToEnd(int signal_fd, pid_t watchdog) {
  pollfd polled = {signal_fd, POLLIN, 0};
  poll(&polled, 1, -1);
  bool asked = false;
  for (signalfd_siginfo info; read(signal_fd, &info, sizeof info) == sizeof info;) {
    asked |= info.ssi_signo == SIGTERM;
    asked |= info.ssi_signo == SIGCONT && static_cast<pid_t>(info.ssi_pid) == watchdog;
  }
  return asked;
}

}  // namespace

int RunTreeMode(pid_t worker, pid_t watchdog) {
  int status = SIGKILL;
  const int signal_fd = WatchSignals(kSignals, std::size(kSignals));
  if (signal_fd == -1) return 125;
  while (!Reap(worker, &status)) {
    // The watchdog's SIGCONT is lost where another one waits already, or it came before it was watched for.
    if (getppid() == watchdog && !AskedToEnd(signal_fd, watchdog)) continue;
    // First the worker: it could see its children die and start others.
    kill(worker, SIGKILL);
    while (waitpid(worker, &status, 0) == -1) {
    }
    break;
  }
  KillDescendants();
  return EndAs(status);
}

}  // namespace posix_daemon
