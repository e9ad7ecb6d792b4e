#pragma once

#include "outcome.h"
#include "plan.h"

namespace posix_daemon {

struct Launched {
  // The running program; -1 with the step that failed, its errno and the item of the plan it was about.
  pid_t pid;
  Step step;
  int error;
  int item;
};

// Makes the child and returns when it has become its program or has failed, in which case it is reaped.
Launched Launch(Plan& plan);

}  // namespace posix_daemon
