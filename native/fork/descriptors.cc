#include "descriptors.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "raw.h"

namespace posix_daemon {

int Substitute(int fresh, int fd, uint32_t flags) {
  if (fresh == -1) return errno;
  int error = 0;
  if (dup3(fresh, fd, (flags & O_CLOEXEC) != 0 ? O_CLOEXEC : 0) == -1) error = errno;
  close(fresh);
  return error;
}

int Descriptors::ReplaceEventFds() {
  for (size_t i = 0; i < eventfds_.size(); i++) {
    const EventFd& old = eventfds_[i];
    int fresh = -1;
    for (size_t k = 0; k < i && old.id != 0 && fresh == -1; k++) {
      if (eventfds_[k].id == old.id) fresh = fcntl(eventfds_[k].fd, F_DUPFD_CLOEXEC, 0);
    }
    if (fresh == -1) {
      const int flags =
          EFD_CLOEXEC | ((old.flags & O_NONBLOCK) != 0 ? EFD_NONBLOCK : 0) | (old.semaphore ? EFD_SEMAPHORE : 0);
      fresh = eventfd(0, flags);
      if (fresh != -1 && old.count != 0) {
        if (write(fresh, &old.count, sizeof old.count) == -1) return errno;
      }
    }
    const int error = Substitute(fresh, old.fd, old.flags);
    if (error != 0) return error;
  }
  return 0;
}

int Descriptors::ReplaceEpolls() {
  // All of them first: one may watch another.
  for (const Epoll& epoll : epolls_) {
    const int error = Substitute(epoll_create1(EPOLL_CLOEXEC), epoll.fd, epoll.flags);
    if (error != 0) return error;
  }
  for (const EpollEntry& entry : entries_) {
    epoll_event event = {};
    event.events = entry.events;
    event.data.u64 = entry.data;
    if (epoll_ctl(entry.epoll, EPOLL_CTL_ADD, entry.fd, &event) == 0) continue;
    // Entries outlive the number they were made with when somebody else has the file open still: the number then is
    // closed (EBADF), or a file that can't be watched (EPERM), or has an entry of its own (EEXIST).
    if (errno != EBADF && errno != EPERM && errno != EEXIST && errno != ELOOP) return errno;
  }
  return 0;
}

// Those from which each process reads what only it is to get.
int Descriptors::ReplaceQueues() {
  int error = 0;
  for (const TimerFd& old : timers_) {
    if (error == 0) error = ReplaceTimer(old);
  }
  for (const SignalFd& old : signalfds_) {
    const int flags = SFD_CLOEXEC | ((old.flags & O_NONBLOCK) != 0 ? SFD_NONBLOCK : 0);
    const auto fresh = static_cast<int>(syscall(SYS_signalfd4, -1, &old.mask, sizeof old.mask, flags));
    if (error == 0) error = Substitute(fresh, old.fd, old.flags);
  }
  for (Inotify& old : inotifies_) {
    const int flags = IN_CLOEXEC | ((old.flags & O_NONBLOCK) != 0 ? IN_NONBLOCK : 0);
    int fresh = inotify_init1(flags);
    old.lost = fresh == -1;
    // A user has 128 of them. In its place something that never has anything to read: with the parent's own, each
    // process would take some of the other's events.
    if (old.lost) fresh = eventfd(0, EFD_CLOEXEC | flags);
    if (error == 0) error = Substitute(fresh, old.fd, old.flags);
  }
  return error;
}

Descriptors::Watches Descriptors::WatchesLeft(const uv_loop_t* loop) const {
  bool others_lost = false;
  for (const Inotify& inotify : inotifies_) {
    if (inotify.fd == loop->inotify_fd && inotify.lost) return Watches::kAllLost;
    if (inotify.fd != loop->inotify_fd && inotify.watches) others_lost = true;
  }
  return others_lost ? Watches::kOthersLost : Watches::kNoneLost;
}

int Descriptors::FindRings(const RawVector<Mapping>& mappings) {
  for (const Mapping& mapping : mappings) {
    if (mapping.kind != MappingKind::kIoUring) continue;
    bool taken = false;
    for (IoUring& ring : rings_) taken = taken || TakeMapping(&ring, mapping);
    if (!taken) return Refuse(ENOTSUP, "memory of an io_uring that isn't libuv's", -1);
  }
  return 0;
}

int Descriptors::Replace() {
  // A number above the soft limit can't be given a new meaning.
  rlimit limit;
  const bool limited = getrlimit(RLIMIT_NOFILE, &limit) == 0;
  const rlimit raised = {limit.rlim_max, limit.rlim_max};
  if (limited) setrlimit(RLIMIT_NOFILE, &raised);
  int error = ReplaceEventFds();
  if (error == 0) error = ReplacePipes();
  if (error == 0) error = ReplaceQueues();
  for (const IoUring& ring : rings_) {
    if (error == 0) error = ReplaceIoUring(ring);
  }
  if (error == 0) error = ReplaceEpolls();
  if (limited) setrlimit(RLIMIT_NOFILE, &limit);
  return error;
}

}  // namespace posix_daemon
