// fs.watch in a forked child.
#pragma once

#include <uv.h>

namespace posix_daemon {

// In the child, its threads running: what the main loop watches in the file system is watched again, by the empty
// inotify instance that has replaced the parent's. False if some of it can't be, but for what isn't there any more.
bool RestartFileWatches(uv_loop_t* loop);

}  // namespace posix_daemon
