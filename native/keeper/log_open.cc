#include "log_open.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

namespace posix_daemon {

namespace {

int CloseWith(int fd, int error) {
  close(fd);
  errno = error;
  return -1;
}

// Mode and owner hold whatever the umask is, but only for a file of our own making.
bool Adorn(int fd, const LogOptions& options) {
  if (fchmod(fd, options.mode) == -1) return false;
  return (options.owner == static_cast<uid_t>(-1) && options.group == static_cast<gid_t>(-1)) ||
         fchown(fd, options.owner, options.group) == 0;
}

struct Numbered {
  char text[PATH_MAX + 16];
  Numbered(const char* path, unsigned number) { snprintf(text, sizeof text, "%s.%u", path, number); }
};

}  // namespace

int OpenLog(const char* path, const LogOptions& options) {
  // O_NONBLOCK so that a FIFO can be turned down instead of waited for.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | O_NONBLOCK;
  int fd = -1;
  bool created = false;
  do {
    fd = open(path, kFlags);
    if (fd == -1 && errno == ENOENT) {
      fd = open(path, kFlags | O_CREAT | O_EXCL, options.mode & 0600);
      created = fd != -1;
    }
  } while (fd == -1 && (errno == EEXIST || errno == EINTR));  // EEXIST: somebody else has just made it.
  if (fd == -1) return -1;

  struct stat status;
  if (fstat(fd, &status) == -1) return CloseWith(fd, errno);
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) return CloseWith(fd, EINVAL);
  if (created && !Adorn(fd, options)) return CloseWith(fd, errno);
  if (fcntl(fd, F_SETFL, O_APPEND) == -1) return CloseWith(fd, errno);
  return fd;
}

int ShiftBackups(const char* path, unsigned backups) {
  for (unsigned number = backups; number > 1; number--) {
    // One that is missing leaves a gap, no more.
    if (rename(Numbered(path, number - 1).text, Numbered(path, number).text) == -1 && errno != ENOENT) return errno;
  }
  return rename(path, Numbered(path, 1).text) == -1 ? errno : 0;
}

void UnshiftFirstBackup(const char* path) { rename(Numbered(path, 1).text, path); }

}  // namespace posix_daemon
