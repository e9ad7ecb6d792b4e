#include "signals.h"

#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>

namespace posix_daemon {

int WatchSignals(const int* signals, size_t count) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  sigset_t watched;
  sigemptyset(&watched);
  for (size_t i = 0; i < count; i++) sigaddset(&watched, signals[i]);
  if (sigprocmask(SIG_SETMASK, &watched, nullptr) == -1) return -1;
  // An ignored signal is dropped although it is blocked (nohup leaves SIGHUP so), and an ignored SIGCHLD reaps.
  for (size_t i = 0; i < count; i++) signal(signals[i], SIG_DFL);
  return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

void ResetSignals() {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

const char* SignalName(int signal, char* buffer, size_t size) {
  // glibc has such a table, but only since 2.32.
  static constexpr const char* kNames[] = {
      "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
      "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
      "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
      "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
  };
  if (static_cast<size_t>(signal) < sizeof kNames / sizeof *kNames) return kNames[signal];
  snprintf(buffer, size, "SIGRTMIN+%d", signal - SIGRTMIN);
  return buffer;
}

}  // namespace posix_daemon
