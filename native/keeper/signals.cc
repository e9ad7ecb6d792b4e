#include "signals.h"

#include <sys/signalfd.h>

#include <csignal>
#include <iterator>

namespace posix_daemon {

namespace {

// Only of SIGKILL and SIGSTOP nobody can change it, and the C library keeps two for itself.
void SetDisposition(int signal, sighandler_t handler) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

int WatchSignals(const int* signals, size_t count) {
  SetDisposition(SIGPIPE, SIG_IGN);
  SetDisposition(SIGXFSZ, SIG_IGN);
  SetDisposition(SIGIO, SIG_IGN);
  sigset_t watched;
  sigemptyset(&watched);
  for (size_t i = 0; i < count; i++) sigaddset(&watched, signals[i]);
  if (sigprocmask(SIG_SETMASK, &watched, nullptr) == -1) return -1;
  // An ignored signal is dropped although it is blocked (nohup leaves SIGHUP so), and an ignored SIGCHLD reaps.
  // Not where it is the default already: that would drop a SIGCONT that waits.
  for (size_t i = 0; i < count; i++) {
    struct sigaction before;
    if (sigaction(signals[i], nullptr, &before) == 0 && before.sa_handler != SIG_DFL) {
      SetDisposition(signals[i], SIG_DFL);
    }
  }
  return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

void StopAsTerminalDoes() {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  static_cast<void>(raise(SIGTSTP));
  sigprocmask(SIG_BLOCK, &one, nullptr);
}

void ResetSignals() {
  for (int number = 1; number < NSIG; number++) SetDisposition(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void ResetSignal(int signal) {
  SetDisposition(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
}

Text<16> SignalName(int signal) {
  // glibc has such a table, but only since 2.32.
  static constexpr const char* kNames[] = {
      "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
      "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
      "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
      "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
  };
  if (static_cast<size_t>(signal) < std::size(kNames)) return Text<16>("%s", kNames[signal]);
  return Text<16>("SIGRTMIN+%d", signal - SIGRTMIN);
}

}  // namespace posix_daemon
