#pragma once

#include "outcome.h"
#include "plan.h"

namespace posix_daemon {

// Before a call that doesn't return AddressSanitizer tidies up the stack, and reports one that it doesn't know: in the
// child, into a file whose descriptor could be one of the plan's.
#define ENDS_CHILD __attribute__((no_sanitize("address")))

// The child's half of forkExec: turns the process into the planned program, or leaves what failed in `outcome` and
// ends. It may run in the parent's memory (CLONE_VM), so it makes system calls only: no allocation, no lock, no
// handler.
[[noreturn]] void RunChild(Plan& plan, Outcome& outcome);

}  // namespace posix_daemon
