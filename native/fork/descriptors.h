// What a fork shares and the two event loops must not: eventfds, epolls, the pipes a process writes to itself, inotify
// queues, io_uring rings. Each is replaced in the child by one of its own, under the same number and in the same state,
// so that libuv, whose structures hold the numbers, goes on without noticing. (uv_loop_fork does this for one loop and
// forgets what was pending; it can't be called for the loops of other threads.) All else stays shared, as POSIX says.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <set>

#include "mappings.h"

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
};

struct InotifyWatch {
  int fd;
  int wd;
  uint32_t mask;
};

struct IoUring {
  int fd;
  uint64_t inode;
  uint32_t flags;
  uint32_t sq_entries;
  uint32_t cq_entries;
};

// Puts `fresh` in the place of `fd`, with the close-on-exec flag of `flags`, and closes `fresh`; -1 stands for the
// errno that it couldn't be made with. Returns an errno.
int Substitute(int fresh, int fd, uint32_t flags);

class Descriptors {
 public:
  // In the parent, with every thread parked: notes what there is. `user_pipes` are the inodes of pipes that stay shared
  // although both ends are here. 0; EBUSY while a ring is in the middle of something,
  // to be tried again; ENOTSUP where a ring can't be replaced (one with a kernel thread, UV_USE_IO_URING=1); or what a
  // system call failed with. Finish must follow.
  int Survey(const std::set<ino_t>& user_pipes);

  // In both: closes what Survey opened.
  void Finish();

  // In the child, its only thread running: replaces all of it. 0 or an errno, with the child unusable.
  int Replace(const RawVector<Mapping>& mappings, uv_loop_t* loop);

  // In the child: of what it watches in the file system, what has come by now.
  static void ForgetFileEvents(uv_loop_t* loop);

 private:
  int SurveyAnonymous(int fdinfo, int fd, uint64_t inode);
  int SurveyPipe(int fd, uint64_t inode);
  int CopyPipes(const std::set<ino_t>& user_pipes);
  int ReplaceEventFds();
  int ReplacePipes();
  int ReplaceEpolls();
  int ReplaceInotify(uv_loop_t* loop);

  RawVector<EventFd> eventfds_;
  RawVector<Epoll> epolls_;
  RawVector<EpollEntry> entries_;
  RawVector<SelfPipe> pipes_;
  RawVector<Inotify> inotifies_;
  RawVector<InotifyWatch> watches_;
  RawVector<IoUring> rings_;
};

}  // namespace posix_daemon
