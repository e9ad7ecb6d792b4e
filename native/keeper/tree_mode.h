#pragma once

namespace posix_daemon {

// posix-daemon-keeper tree WORKER WATCHDOG [--keep-descendants] [--terminate SIGNAL:GRACE_MS] [--cgroup FOLDER]
// [--end-fd N]: the guard of a worker that is its child, forked by the watchdog that is its parent.
int RunTreeMode(int argc, char** arguments);

}  // namespace posix_daemon
