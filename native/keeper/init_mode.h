#pragma once

#include <sys/types.h>

namespace posix_daemon {

// What the first process of a container has to do when its daemon has started: passes signals on to it, reaps whatever
// is orphaned, and answers the exit code when the daemon, a child of this process, has ended: the daemon's own.
int RunInitMode(const char* pid);

}  // namespace posix_daemon
