#include "status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "proc.h"
#include "signals.h"

namespace posix_daemon {

namespace {

// In milliseconds since 1970, for people to read: nothing is measured with it.
int64_t WallClock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

}  // namespace

int StatusFile::Starting() {
  if (path_ == nullptr) return 0;
  started_at_ = WallClock();
  if (ReadSmallFile("/proc/sys/kernel/random/boot_id", boot_id_, sizeof boot_id_) > 0) {
    boot_id_[strcspn(boot_id_, "\n")] = '\0';
  }
  return Write("starting", "");
}

int StatusFile::Running(pid_t pid) {
  pid_ = pid;
  start_ticks_ = ReadProcessStat(pid).start_ticks;
  return Write("running", "");
}

int StatusFile::Exited(int wait_status, bool asked) {
  char ending[128], buffer[24];
  const int64_t now = WallClock();
  if (WIFEXITED(wait_status)) {
    snprintf(ending, sizeof ending, "exit-code %d\nended-at %" PRId64 "\nasked %d\n", WEXITSTATUS(wait_status), now,
             asked);
  } else {
    const char* const name = SignalName(WTERMSIG(wait_status), buffer, sizeof buffer);
    snprintf(ending, sizeof ending, "signal %s\nended-at %" PRId64 "\nasked %d\n", name, now, asked);
  }
  return Write("exited", ending);
}

void StatusFile::Remove() const {
  if (path_ != nullptr) unlink(path_);
}

int StatusFile::Write(const char* state, const char* ending) const {
  if (path_ == nullptr) return 0;
  char identity[64] = "", text[512], temporary[PATH_MAX + 8];
  if (pid_ != 0) snprintf(identity, sizeof identity, "pid %d\nstart-ticks %" PRIu64 "\n", pid_, start_ticks_);
  const int length = snprintf(text, sizeof text, "state %s\n%sstarted-at %" PRId64 "\nboot-id %s\n%s", state, identity,
                              started_at_, boot_id_, ending);
  if (snprintf(temporary, sizeof temporary, "%s.tmp", path_) >= static_cast<int>(sizeof temporary)) return ENAMETOOLONG;
  const int error = WriteTemporary(temporary, text, length);
  if (error != 0) {
    unlink(temporary);
    return error;
  }
  return rename(temporary, path_) == -1 ? errno : 0;
}

int StatusFile::WriteTemporary(const char* temporary, const char* text, size_t length) const {
  // What a keeper that was killed while it wrote has left. O_EXCL: whatever else lies there is not followed.
  unlink(temporary);
  const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -1) return errno;
  const ssize_t written = write(fd, text, length);
  // 0600 as well where the umask has taken more away.
  const int error = written == -1 || fchmod(fd, 0600) == -1 ? errno : 0;
  close(fd);
  return error == 0 && static_cast<size_t>(written) != length ? ENOSPC : error;
}

}  // namespace posix_daemon
