#include "descriptors.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_uring.h"
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

int Descriptors::ReplacePipes() {
  for (SelfPipe& pipe : pipes_) {
    int fresh[2] = {pipe.copy[0], pipe.copy[1]};
    pipe.copy[0] = pipe.copy[1] = -1;
    if (fresh[0] == -1 && pipe2(fresh, O_CLOEXEC) == -1) return errno;
    constexpr uint32_t kStatusFlags = O_NONBLOCK | O_DIRECT;
    fcntl(fresh[0], F_SETFL, pipe.read_flags & kStatusFlags);
    fcntl(fresh[1], F_SETFL, pipe.write_flags & kStatusFlags);
    int error = Substitute(fresh[0], pipe.read_fd, O_CLOEXEC);
    if (error == 0) error = Substitute(fresh[1], pipe.write_fd, O_CLOEXEC);
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

// The kernel gives out watch descriptors in ascending order, so the old ones can be had again by leaving some out.
static void AddWatch(int fd, const InotifyWatch& watch, const char* path, int* next) {
  while (*next < watch.wd) {
    const int skipped = inotify_add_watch(fd, "/proc/self", IN_DELETE_SELF);
    if (skipped == -1) return;
    inotify_rm_watch(fd, skipped);
    *next = skipped + 1;
  }
  // Gone by now, or not to be read any more: then there are no more events of it, and that is all.
  const int wd = inotify_add_watch(fd, path, watch.mask);
  if (wd != -1) *next = wd + 1;
}

int Descriptors::ReplaceInotify(uv_loop_t* loop) {
  for (const Inotify& old : inotifies_) {
    const int fresh = inotify_init1(IN_CLOEXEC | ((old.flags & O_NONBLOCK) != 0 ? IN_NONBLOCK : 0));
    const int error = Substitute(fresh, old.fd, old.flags);
    if (error != 0) return error;
  }
  // Only the main loop's paths are known: a Worker's fs.watch falls silent in the child.
  if (inotifies_.size() == 0 || loop->inotify_fd == -1) return 0;
  struct Search {
    int wd;
    const char* path;
  };
  int next = 1;
  for (int lowest = 0;;) {
    const InotifyWatch* watch = nullptr;
    for (const InotifyWatch& candidate : watches_) {
      if (candidate.fd != loop->inotify_fd || candidate.wd <= lowest) continue;
      if (watch == nullptr || candidate.wd < watch->wd) watch = &candidate;
    }
    if (watch == nullptr) break;
    lowest = watch->wd;
    Search search = {watch->wd, nullptr};
    uv_walk(
        loop,
        [](uv_handle_t* handle, void* argument) {
          auto* wanted = static_cast<Search*>(argument);
          if (handle->type != UV_FS_EVENT || uv_is_active(handle) == 0) return;
          const auto* event = reinterpret_cast<uv_fs_event_t*>(handle);
          if (event->wd == wanted->wd) wanted->path = event->path;
        },
        &search);
    if (search.path != nullptr) AddWatch(loop->inotify_fd, *watch, search.path, &next);
  }
  ForgetFileEvents(loop);  // IN_IGNORED, of the ones left out
  return 0;
}

void Descriptors::ForgetFileEvents(uv_loop_t* loop) {
  char ignored[4096];
  while (loop->inotify_fd != -1 && read(loop->inotify_fd, ignored, sizeof ignored) > 0) {
  }
}

int Descriptors::Replace(const RawVector<Mapping>& mappings, uv_loop_t* loop) {
  int error = ReplaceEventFds();
  if (error == 0) error = ReplacePipes();
  if (error == 0) error = ReplaceInotify(loop);
  for (const IoUring& ring : rings_) {
    if (error == 0) error = ReplaceIoUring(ring, mappings);
  }
  if (error == 0) error = ReplaceEpolls();
  return error;
}

}  // namespace posix_daemon
