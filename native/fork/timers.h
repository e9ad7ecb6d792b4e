// timerfds: each process is to get all the ticks of what was one timer.
#pragma once

#include <cstdint>
#include <ctime>

namespace posix_daemon {

struct TimerFd {
  int fd;
  uint32_t flags;
  // As /proc/self/fdinfo has it:
  uint64_t clock;
  uint64_t settime_flags;
  uint64_t ticks;  // expired, and not read yet
  // As the timer itself has it:
  int64_t left_ns;  // 0 if it isn't armed
  timespec interval;
  int64_t due_ns;  // on its clock, or on the monotonic one if it was set relative to the present
};

// In the parent: how long it is until the timer ticks. Forwards one that has ticked already to its next tick, as a read
// would, without losing one. 0 or an errno.
int ReadLeft(TimerFd* timer);

// In the child: puts one of its own in its place. 0 or an errno.
int ReplaceTimer(const TimerFd& old);

}  // namespace posix_daemon
