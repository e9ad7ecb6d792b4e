#include "log_open.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "text.h"

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

bool IsTrusted(uid_t uid, const LogOptions& options) {
  return uid == 0 || uid == geteuid() || (options.owner != static_cast<uid_t>(-1) && uid == options.owner);
}

// Whether another user may have made the file there to read what the program says: it is theirs, or has a second name,
// in a folder that isn't ours alone.
bool IsPlanted(const char* path, const struct stat& file, const LogOptions& options) {
  if (!S_ISREG(file.st_mode) || (IsTrusted(file.st_uid, options) && file.st_nlink == 1)) return false;
  const char* const slash = strrchr(path, '/');
  const int length = slash == nullptr ? 0 : static_cast<int>(slash - path);
  struct stat folder;
  if (stat(slash == nullptr ? "." : Text<PATH_MAX>("%.*s/", length, path).c_str(), &folder) == -1) return true;
  return (folder.st_mode & 022) != 0 || !IsTrusted(folder.st_uid, options);
}

// Longer than any path may be, so that the kernel and not we refuse it.
Text<PATH_MAX + 16> Numbered(const char* path, unsigned number) { return Text<PATH_MAX + 16>("%s.%u", path, number); }

int Rename(const char* from, const char* to) { return rename(from, to) == -1 ? errno : 0; }

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
  if (!created && IsPlanted(path, status, options)) return CloseWith(fd, EPERM);
  if (created && !Adorn(fd, options)) return CloseWith(fd, errno);
  if (fcntl(fd, F_SETFL, O_APPEND) == -1) return CloseWith(fd, errno);
  return fd;
}

int ShiftBackups(const char* path, unsigned backups) {
  // Up to the first gap, so that a rotation that fails behind this costs no backup.
  unsigned last = 1;
  struct stat status;
  while (last < backups && lstat(Numbered(path, last).c_str(), &status) == 0) last++;
  for (unsigned number = last; number > 1; number--) {
    const int error = Rename(Numbered(path, number - 1).c_str(), Numbered(path, number).c_str());
    if (error != 0) return error;
  }
  return Rename(path, Numbered(path, 1).c_str());
}

int UnshiftFirstBackup(const char* path) { return Rename(Numbered(path, 1).c_str(), path); }

}  // namespace posix_daemon
