#include "timers.h"

#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "descriptors.h"

namespace posix_daemon {

namespace {

// <linux/timerfd.h>'s, which can't be included beside the C library's own header.
constexpr unsigned long kSetTicks = _IOW('T', 0, uint64_t);
constexpr int64_t kSecondNs = 1'000'000'000;

int64_t Ns(const timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }

int64_t Now(const TimerFd& timer) {
  timespec now;
  const bool absolute = (timer.settime_flags & TFD_TIMER_ABSTIME) != 0;
  clock_gettime(absolute ? static_cast<clockid_t>(timer.clock) : CLOCK_MONOTONIC, &now);
  return Ns(now);
}

}  // namespace

int ReadLeft(TimerFd* timer) {
  itimerspec left;
  if (timerfd_gettime(timer->fd, &left) == -1) return errno;
  timer->left_ns = Ns(left.it_value);
  timer->interval = left.it_interval;
  timer->due_ns = Now(*timer) + timer->left_ns;
  return 0;
}

int ReplaceTimer(const TimerFd& old) {
  const int flags = TFD_CLOEXEC | ((old.flags & TFD_NONBLOCK) != 0 ? TFD_NONBLOCK : 0);
  const int fresh = timerfd_create(static_cast<clockid_t>(old.clock), flags);
  if (fresh == -1) return errno;
  itimerspec timer = {old.interval, {}};
  if (old.left_ns != 0) {
    const bool absolute = (old.settime_flags & TFD_TIMER_ABSTIME) != 0;
    // 0 would disarm it.
    const int64_t value = absolute ? old.due_ns : std::max<int64_t>(old.due_ns - Now(old), 1);
    timer.it_value = {value / kSecondNs, value % kSecondNs};
  }
  int error = 0;
  if (timerfd_settime(fresh, static_cast<int>(old.settime_flags), &timer, nullptr) == -1) error = errno;
  // Takes CONFIG_CHECKPOINT_RESTORE, which fork() needs anyway.
  if (error == 0 && old.ticks != 0 && ioctl(fresh, kSetTicks, &old.ticks) == -1) error = errno;
  if (error != 0) {
    close(fresh);
    return error;
  }
  return Substitute(fresh, old.fd, old.flags);
}

}  // namespace posix_daemon
