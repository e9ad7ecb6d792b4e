#include "report.h"

#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>

namespace posix_daemon {

// SIGPIPE is ignored, and a line of this size fits into an empty pipe as a whole.
bool Report::Say(const char* line, int length) {
  if (fd_ == -1) return true;
  const bool said = write(fd_, line, length) == length;
  Close();
  return said;
}

void Report::Close() {
  if (fd_ != -1) close(fd_);
  fd_ = -1;
}

bool Report::Ready(pid_t pid) {
  char line[32];
  return Say(line, snprintf(line, sizeof line, "ready %d\n", pid));
}

bool Report::Failed(int error, const char* step, const char* path) {
  char line[PATH_MAX + 64];
  if (fd_ == -1) {
    fprintf(stderr, "posix-daemon-keeper: %s%s%s: %s\n", step, *path == '\0' ? "" : " ", path, strerror(error));
    return true;
  }
  const int length = snprintf(line, sizeof line, "error %d %s %s\n", error, step, path);
  return Say(line, length < static_cast<int>(sizeof line) ? length : static_cast<int>(sizeof line) - 1);
}

bool Report::Ended(int wait_status) {
  char line[32];
  return WIFEXITED(wait_status) ? Say(line, snprintf(line, sizeof line, "exited %d\n", WEXITSTATUS(wait_status)))
                                : Say(line, snprintf(line, sizeof line, "killed %d\n", WTERMSIG(wait_status)));
}

}  // namespace posix_daemon
