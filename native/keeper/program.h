#pragma once

#include <sys/types.h>

#include "exec/outcome.h"
#include "options.h"

namespace posix_daemon {

// What the child of StartProgram writes to its pipe when a step fails; nothing when its program runs.
struct LaunchFailure {
  Step step;
  int error;
};

// The path that a failed step was about; "" when it was about none.
const char* PathOf(Step step, const ProgramOptions& program);

// Forks the child that becomes the program. `streams` are its standard output and error; -1 is the keeper's own one.
// `cgroup_fd`: of the cgroup that it begins in, or -1. Answers the pid and in `failure_fd` a pipe: a LaunchFailure or,
// with the exec, its end. -1 with errno.
pid_t StartProgram(const ProgramOptions& program, const int (&streams)[2], int cgroup_fd, int* failure_fd);

}  // namespace posix_daemon
