// What a fork shares and two processes can't use together: eventfds, epolls, the pipes a process writes to itself,
// timerfds, signalfds, inotify queues, io_uring rings. Each is replaced in the child by one of its own, under the same
// number and in the same state, so that libuv, whose structures hold the numbers, goes on without noticing.
// (uv_loop_fork does this for one loop and forgets what was pending; it can't be called for the loops of other
// threads.) Files, sockets, terminals and pipes between processes stay shared, as POSIX says; what is none of these
// and not known to be safely shared is refused.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <set>

#include "io_uring.h"
#include "mappings.h"
#include "timers.h"

namespace posix_daemon {

struct EventFd {
  int fd;
  uint32_t flags;
  uint64_t count;
  uint64_t id;  // tells duplicates of one eventfd; 0 on kernels that don't
  bool semaphore;
};

struct Epoll {
  int fd;
  uint32_t flags;
};

struct EpollEntry {
  int epoll;
  int fd;
  uint32_t events;
  uint64_t data;
};

// A pipe with both ends in this process only.
struct SelfPipe {
  uint64_t inode;
  int read_fd;
  int write_fd;
  uint32_t read_flags;
  uint32_t write_flags;
  // Where there is something in it, a copy made before the fork: afterwards the parent reads it at once.
  int copy[2];
};

struct Inotify {
  int fd;
  uint32_t flags;
  bool watches;
  bool lost;
};

struct SignalFd {
  int fd;
  uint32_t flags;
  uint64_t mask;
};

// Puts `fresh` in the place of `fd`, with the close-on-exec flag of `flags`, and closes `fresh`; -1 stands for the
// errno that it couldn't be made with. Returns an errno.
int Substitute(int fresh, int fd, uint32_t flags);

class Descriptors {
 public:
  // In the parent, with every thread parked: notes what there is. `user_pipes` are the inodes of pipes that stay shared
  // although both ends are here. 0; EBUSY while a ring is in the middle of something, to be tried again; ENOTSUP where
  // there is something that can be neither replaced nor shared; EMFILE where a replacement's number isn't allowed any
  // more; or what a system call failed with. Finish must follow.
  int Survey(const uv_loop_t* loop, const std::set<ino_t>& user_pipes);

  // In the parent, after Survey: finds the rings' memory among `mappings`. 0 or ENOTSUP.
  int FindRings(const RawVector<Mapping>& mappings);

  // What the error of these two is about.
  const char* subject() const { return subject_; }

  // In both: closes what Survey opened.
  void Finish();

  // In the child, its only thread running: replaces all of it. 0 or an errno, with the child unusable.
  int Replace();

  // In the child: what has become of the watches in the file system. Those of the main loop can be made anew in the
  // instance that replaces theirs, unless there is none to be had; nobody knows the paths of Workers and addons.
  enum class Watches { kNoneLost, kOthersLost, kAllLost };
  Watches WatchesLeft(const uv_loop_t* loop) const;

 private:
  int SurveyAnonymous(int fdinfo, int fd);
  int SurveyPipe(int fd, uint64_t inode);
  bool IsOwn(const SelfPipe& pipe, const uv_loop_t* loop) const;
  int CopyPipes(const uv_loop_t* loop, const std::set<ino_t>& user_pipes);
  int Refuse(int error, const char* what, int fd);
  int ReplaceEventFds();
  int ReplacePipes();
  int ReplaceEpolls();
  int ReplaceQueues();

  RawVector<EventFd> eventfds_;
  RawVector<Epoll> epolls_;
  RawVector<EpollEntry> entries_;
  RawVector<SelfPipe> pipes_;
  RawVector<TimerFd> timers_;
  RawVector<SignalFd> signalfds_;
  RawVector<Inotify> inotifies_;
  RawVector<IoUring> rings_;
  char subject_[112];
};

}  // namespace posix_daemon
