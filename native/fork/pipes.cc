#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../startup_pipes.h"
#include "descriptors.h"

namespace posix_daemon {

int Descriptors::SurveyPipe(int fd, uint64_t inode) {
  const int flags = fcntl(fd, F_GETFL);
  const int descriptor_flags = fcntl(fd, F_GETFD);
  if (flags == -1 || descriptor_flags == -1) return 0;
  const bool writes = (flags & O_ACCMODE) == O_WRONLY;
  // What isn't close-on-exec was handed to this process, or is meant for another.
  const bool own = (descriptor_flags & FD_CLOEXEC) != 0 && (flags & O_ACCMODE) != O_RDWR;
  constexpr int kNotOwn = -2;
  for (SelfPipe& pipe : pipes_) {
    if (pipe.inode != inode) continue;
    int& end = writes ? pipe.write_fd : pipe.read_fd;
    end = end == -1 && own ? fd : kNotOwn;
    (writes ? pipe.write_flags : pipe.read_flags) = static_cast<uint32_t>(flags);
    return 0;
  }
  SelfPipe pipe = {inode, -1, -1, 0, 0, {-1, -1}};
  (writes ? pipe.write_fd : pipe.read_fd) = own ? fd : kNotOwn;
  (writes ? pipe.write_flags : pipe.read_flags) = static_cast<uint32_t>(flags);
  pipes_.Push(pipe);
  return 0;
}

// A pipe that was there when the addon was loaded is inherited, and shared with other processes, unless it is known as
// one of libuv's: of its signal handlers' lock, or that by which a running loop learns of signals.
bool Descriptors::IsOwn(const SelfPipe& pipe, const uv_loop_t* loop) const {
  const StartupPipes& startup = TheStartupPipes();
  if (pipe.read_fd < 0 || pipe.write_fd < 0) return false;
  if (startup.inodes.count(pipe.inode) == 0 || pipe.inode == startup.signal_lock) return true;
  if (pipe.read_fd == loop->signal_pipefd[0]) return true;
  if ((pipe.read_flags & pipe.write_flags & O_NONBLOCK) == 0) return false;
  for (const EpollEntry& entry : entries_) {
    if (entry.fd == pipe.read_fd && static_cast<int>(entry.data) == entry.fd) return true;
  }
  return false;
}

// Leaves only the pipes of this process's own in pipes_.
int Descriptors::CopyPipes(const uv_loop_t* loop, const std::set<ino_t>& user_pipes) {
  size_t kept = 0;
  for (SelfPipe& pipe : pipes_) {
    if (!IsOwn(pipe, loop) || user_pipes.count(pipe.inode) != 0) continue;
    int waiting = 0;
    if (ioctl(pipe.read_fd, FIONREAD, &waiting) == 0 && waiting > 0) {
      if (pipe2(pipe.copy, O_CLOEXEC) == -1) return errno;
      if (tee(pipe.read_fd, pipe.copy[1], static_cast<size_t>(waiting), SPLICE_F_NONBLOCK) == -1) return errno;
    }
    pipes_[kept++] = pipe;
  }
  pipes_.Truncate(kept);
  return 0;
}

void Descriptors::Finish() {
  for (SelfPipe& pipe : pipes_) {
    for (int& fd : pipe.copy) {
      if (fd != -1) close(fd);
      fd = -1;
    }
  }
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

}  // namespace posix_daemon
