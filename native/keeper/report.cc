#include "report.h"

#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>

namespace posix_daemon {

// SIGPIPE is ignored, and a pipe has room for these few lines as a whole.
template <size_t kCapacity>
bool Report::Say(const Text<kCapacity>& line) {
  if (fd_ == -1) return true;
  const bool said = write(fd_, line.c_str(), line.size()) == static_cast<ssize_t>(line.size());
  Close();
  return said;
}

void Report::Close() {
  if (fd_ != -1) close(fd_);
  fd_ = -1;
}

bool Report::Ready(pid_t pid) { return Say(Text<32>("ready %d\n", pid)); }

bool Report::Failed(int error, const char* step, const char* path) {
  if (fd_ != -1) return Say(Text<PATH_MAX + 64>("error %d %s %s\n", error, step, path));
  dprintf(STDERR_FILENO, "posix-daemon-keeper: %s%s%s: %s\n", step, *path == '\0' ? "" : " ", path, strerror(error));
  return true;
}

bool Report::Ended(int wait_status) {
  return WIFEXITED(wait_status) ? Say(Text<32>("exited %d\n", WEXITSTATUS(wait_status)))
                                : Say(Text<32>("killed %d\n", WTERMSIG(wait_status)));
}

}  // namespace posix_daemon
