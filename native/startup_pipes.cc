#include "startup_pipes.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <vector>

#include "runtime_descriptors.h"

namespace posix_daemon {

namespace {

// Whether nothing but this byte waits in a pipe, where it stays.
bool HoldsOnly(int fd, char wanted) {
  int waiting = 0;
  if (ioctl(fd, FIONREAD, &waiting) == -1 || waiting != 1) return false;
  int copy[2];
  if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) == -1) return false;
  char byte;
  const bool holds = tee(fd, copy[1], 1, SPLICE_F_NONBLOCK) == 1 && read(copy[0], &byte, 1) == 1 && byte == wanted;
  close(copy[0]);
  close(copy[1]);
  return holds;
}

// uv_loop_init makes an epoll, perhaps a ring, a pipe and an eventfd, each under a higher number than the last. So a
// pipe that is alone between an epoll and an eventfd can't be an inherited one: the loop's own would be there as well.
void ForgetLoops(const std::vector<OpenDescriptor>& descriptors, StartupPipes* pipes) {
  std::vector<OpenDescriptor> candidates;
  for (const OpenDescriptor& open : descriptors) {
    if (open.use != DescriptorUse::kIoUring && (open.pipe == 0 || open.pipe != pipes->signal_lock)) {
      candidates.push_back(open);
    }
  }
  for (size_t i = 0; i + 3 < candidates.size(); i++) {
    const OpenDescriptor& end = candidates[i + 1];
    const bool between = candidates[i].use == DescriptorUse::kEpoll && candidates[i + 3].use == DescriptorUse::kEventfd;
    if (between && end.use == DescriptorUse::kSelfPipe && end.pipe == candidates[i + 2].pipe) {
      pipes->inodes.erase(end.pipe);
    }
  }
}

StartupPipes Look() {
  StartupPipes pipes = {};
  int sample[2];
  struct stat status;
  if (pipe2(sample, O_CLOEXEC) == 0) {
    if (fstat(sample[0], &status) == 0) pipes.pipefs = status.st_dev;
    close(sample[0]);
    close(sample[1]);
  }
  // Descriptors are given out from the lowest free number, and the main loop's are among the last that Node makes.
  const int last = LastOfBootstrap(uv_default_loop());
  std::vector<OpenDescriptor> descriptors;
  ListOpenDescriptors(&descriptors);
  std::vector<int> blocking;
  for (const OpenDescriptor& open : descriptors) {
    if (open.pipe == 0 || open.fd > last) continue;
    pipes.inodes.insert(open.pipe);
    if (fcntl(open.fd, F_GETFL) == O_RDONLY && open.use == DescriptorUse::kSelfPipe) blocking.push_back(open.fd);
  }
  // Another thread takes the byte out for the moment in which it sets a signal handler.
  constexpr int kAttempts = 100;
  constexpr useconds_t kPauseUs = 1000;
  constexpr char kLockByte = 42;  // the tokens of a make's jobserver are '+', those of cargo's '|'
  for (int attempt = 0; attempt < kAttempts && !blocking.empty() && pipes.signal_lock == 0; attempt++) {
    if (attempt > 0) usleep(kPauseUs);
    for (const int fd : blocking) {
      if (HoldsOnly(fd, kLockByte) && fstat(fd, &status) == 0) pipes.signal_lock = status.st_ino;
    }
  }
  ForgetLoops(descriptors, &pipes);
  return pipes;
}

}  // namespace

const StartupPipes& TheStartupPipes() {
  static const StartupPipes* const pipes = new StartupPipes(Look());
  return *pipes;
}

}  // namespace posix_daemon
