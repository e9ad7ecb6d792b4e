// libuv's io_uring rings, by which it tells its epoll what to watch: memory shared with the kernel, and after a fork
// with the parent.
#pragma once

#include "descriptors.h"
#include "mappings.h"

namespace posix_daemon {

// In the child, its only thread running: replaces a ring in which nothing is under way by a new one of the same shape,
// under the same number and at the same addresses. `mappings` are those from before the fork. 0 or an errno, with the
// ring unusable.
int ReplaceIoUring(const IoUring& old, const RawVector<Mapping>& mappings);

}  // namespace posix_daemon
