#include "pid_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace posix_daemon {

// First the number, then the end: a reader in between sees more digits than there should be, never an empty file.
int PidFile::Write() const {
  if (path_ == nullptr) return 0;
  char text[16];
  const int length = snprintf(text, sizeof text, "%d\n", getpid());
  const ssize_t written = pwrite(fd_, text, length, 0);
  if (written == -1 || ftruncate(fd_, length) == -1) return errno;
  return written == length ? 0 : ENOSPC;
}

void PidFile::Remove() const {
  if (path_ == nullptr) return;
  struct stat ours, named;
  // Only while the path is still this file's name: it could be another daemon's by now.
  const bool same =
      fstat(fd_, &ours) == 0 && lstat(path_, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  if (same && unlink(path_) == 0) return;
  if (ftruncate(fd_, 0) == -1) return;  // Nothing is left to be tried, and the lock's end says the same.
}

// Undone rather than closed: a copy of the descriptor, wherever it is, would hold the lock on.
void PidFile::Unlock() {
  if (path_ == nullptr) return;
  struct flock none = {};
  none.l_type = F_UNLCK;
  fcntl(fd_, F_OFD_SETLK, &none);
  path_ = nullptr;
}

}  // namespace posix_daemon
