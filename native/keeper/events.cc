#include "events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <climits>

#include "text.h"

namespace posix_daemon {

static const char* NameOf(Reason reason) {
  static constexpr const char* kNames[] = {"none", "heartbeat", "ready", "rss", "stop", "restart"};
  return kNames[static_cast<int>(reason)];
}

Events::Events(int fd) : fd_(fd) {
  if (fd_ != -1) fcntl(fd_, F_SETFL, O_NONBLOCK);
}

// Who doesn't read a thousand of them loses some: the programs are not to wait for that.
void Events::Say(const char* line, size_t length) const {
  if (fd_ != -1 && write(fd_, line, length) == -1) return;
}

void Events::Spawned(int worker, pid_t pid) const {
  const Text<64> line("spawn %d %d\n", worker, pid);
  Say(line.c_str(), line.size());
}

void Events::Ready(int worker, pid_t pid) const {
  const Text<64> line("ready %d %d\n", worker, pid);
  Say(line.c_str(), line.size());
}

void Events::Exited(int worker, pid_t pid, int wait_status, int left, Reason reason, int64_t next) const {
  const Text<160> line("exit %d %d %d %d %s %" PRId64 "\n", worker, pid, wait_status, left, NameOf(reason), next);
  Say(line.c_str(), line.size());
}

void Events::Failed(int worker, const LaunchFailure& failure, const char* path, int64_t next) const {
  const Text<PATH_MAX + 160> line("failed %d %d %s %" PRId64 " %s\n", worker, failure.error, StepName(failure.step),
                                  next, path);
  Say(line.c_str(), line.size());
}

void Events::Stopped(int wait_status) const {
  const Text<64> line("stopped %d\n", wait_status);
  Say(line.c_str(), line.size());
}

}  // namespace posix_daemon
