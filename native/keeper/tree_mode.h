#pragma once

#include <sys/types.h>

namespace posix_daemon {

// Stands between a watchdog and its worker, a child of this process, which is a subreaper: when the worker has ended,
// kills what is left of all that it started, and answers the exit code, or ends by the worker's signal. SIGTERM, the
// watchdog's SIGCONT, and its death end the worker and the rest at once.
int RunTreeMode(pid_t worker, pid_t watchdog);

}  // namespace posix_daemon
