#include "init_mode.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>

#include "foreground.h"
#include "read_number.h"
#include "signals.h"

namespace posix_daemon {

namespace {

constexpr int kSignals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

// Whether the daemon has ended, or was no child of ours.
bool Reap(pid_t daemon, int* status) {
  for (int other;;) {
    const pid_t pid = waitpid(-1, &other, WNOHANG);
    if (pid == daemon) {
      *status = other;
      return true;
    }
    if (pid == -1 && errno != EINTR) return true;
    if (pid == 0) return false;
  }
}

}  // namespace

int RunInitMode(const char* pid) {
  pid_t daemon;
  if (!ReadNumber(pid, &daemon) || daemon <= 1) return 2;
  int status = 1 << 8;  // exit(1)
  const int signal_fd = WatchSignals(kSignals, std::size(kSignals));
  if (signal_fd == -1) return 1;
  while (!Reap(daemon, &status)) {
    pollfd polled = {signal_fd, POLLIN, 0};
    poll(&polled, 1, -1);
    // It is a child that hasn't been reaped: the pid is its own.
    for (signalfd_siginfo info; read(signal_fd, &info, sizeof info) == sizeof info;) {
      if (info.ssi_signo != SIGCHLD) kill(daemon, static_cast<int>(info.ssi_signo));
    }
  }
  return EndAs(status);
}

}  // namespace posix_daemon
