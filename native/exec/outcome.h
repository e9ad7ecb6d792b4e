// How far a child of forkExec came, written by the child where its parent can read it.
#pragma once

#include <sys/types.h>

namespace posix_daemon {

enum class Step : int {
  kClone,
  kSetsid,
  kSetpgid,
  kDetach,
  kOomScoreAdj,
  kDup,
  kOpen,
  kCloseRange,
  kTiocsctty,
  kSetrlimit,
  kSetpriority,
  kChroot,
  kSetgroups,
  kSetgid,
  kSetuid,
  kChdir,
  kPrctl,
  kSignals,
  kExecve,
};

inline const char* StepName(Step step) {
  static constexpr const char* kNames[] = {
      "clone",       "setsid", "setpgid",   "clone",        "oom_score_adj", "dup",       "open",
      "close_range", "ioctl",  "setrlimit", "setpriority",  "chroot",        "setgroups", "setgid",
      "setuid",      "chdir",  "prctl",     "rt_sigaction", "execve",
  };
  static_assert(sizeof kNames / sizeof *kNames == static_cast<int>(Step::kExecve) + 1);
  return kNames[static_cast<int>(step)];
}

// `step` is the one begun last; `error` is its errno, 0 while nothing has failed; `item` says which of the plan's
// descriptors, where the step handles many.
struct Outcome {
  volatile Step step;
  volatile int error;
  volatile int item;
  // Of the plan's second fork, written by the kernel before that child runs.
  pid_t detached;
};

}  // namespace posix_daemon
