// libuv's io_uring rings, by which it tells its epoll what to watch: memory shared with the kernel, and after a fork
// with the parent. All that is needed is read from that memory: /proc shows it from Linux 5.16 on only, and libuv uses
// rings from 5.13 on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mappings.h"

namespace posix_daemon {

struct IoUring {
  int fd;
  uint32_t flags;
  uint32_t sq_entries;
  uint32_t cq_entries;
  // Where this process has the two parts of its memory. Neither is there for a moment when its thread is just making
  // the ring or getting rid of it.
  uintptr_t rings;
  size_t rings_size;
  uintptr_t entries;
  size_t entries_size;
};

// In the parent, with every thread parked: reads the sizes. 0; EBUSY while requests are under way; ENOTSUP where the
// ring has been used for something else than libuv's batches of epoll_ctl, and so may have what can't be replaced; or
// what a system call failed with.
int SurveyIoUring(IoUring* ring);

// In the parent, then: whether this mapping is of the ring, which notes it.
bool TakeMapping(IoUring* ring, const Mapping& mapping);

// In the child, its only thread running: replaces the ring, in which nothing is under way, by a new one of the same
// shape, under the same number and at the same addresses. 0 or an errno, with the ring unusable.
int ReplaceIoUring(const IoUring& old);

}  // namespace posix_daemon
