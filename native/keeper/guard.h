// Stands between a watchdog and one program: a subreaper, so that whatever the program starts stays below it, sessions
// of their own and double forks too. When the program has ended, or the watchdog, it kills what is left, and ends as
// the program did.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

#include "cgroup.h"

namespace posix_daemon {

struct GuardOptions {
  pid_t watchdog = -1;
  // Kills what the program leaves behind.
  bool kills_descendants = true;
  // What the program gets first when the watchdog has died, and how long it may take; 0: it is killed.
  int terminate_signal = 0;
  uint64_t grace_ms = 0;
  // The kernel sends the signal of a parent's death as each of the parent's threads dies, and getppid() changes with
  // the last: SIGCONT from a watchdog that has several doesn't tell whether it wants the end or dies. It asks by
  // SIGTERM.
  bool asked_by_sigcont = true;
  // The folder for its cgroup, or null.
  const char* cgroup = nullptr;
  // Where it says that it ends by itself, or -1: one that ends as a program that was killed looks like one that was.
  int end_fd = -1;
};

// What a guard tells the watchdog that started it.
struct GuardMessage {
  enum Kind : int { kStarted, kFailed, kExecuted, kEnded, kCleared } kind;
  // kStarted: the program's pid. kFailed: a Step. kEnded: the wait status. kCleared: how many processes it left behind.
  int value;
  // kFailed: an errno.
  int detail;
};

class Guard {
 public:
  explicit Guard(const GuardOptions& options) : options_(options), cgroup_(options.cgroup, getpid()) {}

  // Before there is a program. An errno.
  int Prepare();
  // For a program that is still to be started: a descriptor of the cgroup that it is to begin in, or -1.
  int MakeCgroup() const;
  // For one that is there already.
  void Enclose(pid_t program) const;
  // The program is a child. `failure_fd`: that of StartProgram, or -1; `message_fd`: for GuardMessages, or -1.
  void Take(pid_t program, int failure_fd, int message_fd);
  // Until it has ended: this process's exit code.
  int Run();

 private:
  void TellEnd() const;
  void Tell(GuardMessage::Kind kind, int value, int detail = 0) const;
  bool Reap();
  void Wait();
  void OnSignals();
  void PassOn(int signal);
  void Signal(int signal, bool whole_group) const;
  void OnLaunched();
  void OnWatchdogGone();
  void KillProgram();
  int KillLeft();

  const GuardOptions options_;
  const Cgroup cgroup_;
  int signal_fd_ = -1;
  int failure_fd_ = -1;
  int message_fd_ = -1;
  pid_t program_ = -1;
  int status_ = 9;
  // What came before the program could take it, a bit each.
  uint64_t held_signals_ = 0;
  bool must_end_ = false;
  // It was asked to end by the time kill_at_ms_.
  bool terminating_ = false;
  uint64_t kill_at_ms_ = 0;
};

}  // namespace posix_daemon
