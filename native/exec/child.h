#pragma once

#include "outcome.h"
#include "plan.h"

namespace posix_daemon {

// The child's half of forkExec: turns the process into the planned program, or leaves what failed in `outcome` and
// ends. It may run in the parent's memory (CLONE_VM), so it makes system calls only: no allocation, no lock, no
// handler.
[[noreturn]] void RunChild(Plan& plan, Outcome& outcome);

}  // namespace posix_daemon
