#include "inheritance.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>

namespace posix_daemon {

namespace {

#ifdef SYS_close_range
constexpr long kCloseRange = SYS_close_range;
#else
constexpr long kCloseRange = 436;  // The same on every architecture.
#endif
constexpr unsigned kCloseOnExec = 1u << 2;

struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

// The number a name of /proc/self/fd stands for; -1 for "." and "..".
int ParseDescriptor(const char* name) {
  int fd = 0;
  for (; *name != '\0'; name++) {
    if (*name < '0' || *name > '9') return -1;
    fd = fd * 10 + (*name - '0');
  }
  return fd;
}

bool Apply(int fd, unsigned flags) {
  if (flags == kCloseOnExec)
    return fcntl(fd, F_SETFD, FD_CLOEXEC) != -1 || errno == EBADF;  // Closed by another thread.
  close(fd);  // Whatever it answers, Linux has let go of the descriptor.
  return true;
}

// By hand, for opendir() allocates.
bool ApplyToListed(int directory, unsigned first, unsigned last, unsigned flags) {
  alignas(DirectoryEntry) char buffer[4096];
  for (;;) {
    const long size = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0) return size == 0;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->length;
      const int fd = ParseDescriptor(entry->name);
      if (fd < 0 || fd == directory || static_cast<unsigned>(fd) < first || static_cast<unsigned>(fd) > last) continue;
      if (!Apply(fd, flags)) return false;
    }
  }
}

bool ApplyToRange(unsigned first, unsigned last, unsigned flags) {
  if (syscall(kCloseRange, first, last, flags) == 0) return true;
  // Linux before 5.11 (5.9 without flags), or a sandbox that doesn't know the call and answers what it likes.
  const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory == -1) return false;
  const bool applied = ApplyToListed(directory, first, last, flags);
  const int error = errno;
  close(directory);
  errno = error;
  return applied;
}

bool ApplyExcept(const int* kept, size_t count, unsigned flags) {
  unsigned first = 3;
  for (size_t i = 0; i < count; i++) {
    const auto keep = static_cast<unsigned>(kept[i]);
    if (keep > first && !ApplyToRange(first, keep - 1, flags)) return false;
    if (keep >= first) first = keep + 1;
  }
  return ApplyToRange(first, UINT_MAX, flags);
}

}  // namespace

bool CloseExcept(const int* kept, size_t count) { return ApplyExcept(kept, count, 0); }
bool CloseOnExecExcept(const int* kept, size_t count) { return ApplyExcept(kept, count, kCloseOnExec); }

}  // namespace posix_daemon
