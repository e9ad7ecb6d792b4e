#include "file_turn.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "clock.h"

namespace posix_daemon {

namespace {

constexpr uint64_t kMostCreditMs = 250;
// One millisecond is earned in so many.
constexpr uint64_t kCreditEveryMs = 4;

}  // namespace

void FileTurn::Reset(bool is_regular) {
  usable_ = is_regular;
  given_up_ = false;
}

bool FileTurn::Take(int fd) {
  taken_ = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
  // Anything but "somebody has it open": another user's file, or a file system that has no leases.
  if (!taken_ && errno != EAGAIN) usable_ = false;
  return taken_;
}

void FileTurn::Begin(int fd) {
  if (!usable_) return;
  if (Take(fd)) {
    given_up_ = false;
    return;
  }
  if (given_up_ || !usable_) return;
  const uint64_t now = Clock();
  credit_ms_ = std::min(kMostCreditMs, credit_ms_ + (now - credited_at_ms_) / kCreditEveryMs);
  credited_at_ms_ = now;
  // Nothing tells when the last other one closes a file; the wait is short and rare.
  for (; credit_ms_ > 0 && usable_; credit_ms_--) {
    const timespec pause = Milliseconds(1);
    nanosleep(&pause, nullptr);
    if (Take(fd)) return;
  }
  given_up_ = true;
}

void FileTurn::End(int fd) {
  if (taken_) fcntl(fd, F_SETLEASE, F_UNLCK);
  taken_ = false;
}

}  // namespace posix_daemon
