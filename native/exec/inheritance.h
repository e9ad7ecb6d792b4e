#pragma once

#include <cstddef>

namespace posix_daemon {

// Marks every open descriptor from 3 on close-on-exec, except those in `kept` (ascending, each above 2); with no
// /dev/fd race and no allocation, so that it can run between fork and exec. Answers false with errno set.
//
// Marked, not closed: `file` may be /proc/self/fd/N, the way to execute an open file.
bool CloseOnExecExcept(const int* kept, size_t count);

}  // namespace posix_daemon
