#pragma once

#include <cstddef>

namespace posix_daemon {

// What happens to the open descriptors from 3 on, except those in `kept` (ascending). Neither allocates, so that they
// can run between fork and exec. Both answer false with errno set.
bool CloseExcept(const int* kept, size_t count);
bool CloseOnExecExcept(const int* kept, size_t count);

}  // namespace posix_daemon
