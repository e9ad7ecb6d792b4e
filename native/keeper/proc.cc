#include "proc.h"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "text.h"

namespace posix_daemon {

ssize_t ReadSmallFile(const char* path, char* text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd == -1) return -1;
  const ssize_t length = read(fd, text, size - 1);
  close(fd);
  if (length >= 0) text[length] = '\0';
  return length;
}

ProcessStat ReadProcessStat(pid_t pid) {
  constexpr unsigned kForkedButNotExecuted = 0x40;  // PF_FORKNOEXEC
  ProcessStat stat;
  char text[1024];
  if (ReadSmallFile(Text<32>("/proc/%d/stat", pid).c_str(), text, sizeof text) <= 0) return stat;
  // The second field is the program's name, with any character in it, parentheses and spaces too.
  const char* const rest = strrchr(text, ')');
  unsigned flags;
  if (rest == nullptr ||
      sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &flags,
             &stat.start_ticks) != 2) {
    return stat;
  }
  stat.executed = (flags & kForkedButNotExecuted) == 0;
  return stat;
}

pid_t ParentOf(pid_t pid) {
  char text[512];
  if (ReadSmallFile(Text<32>("/proc/%d/stat", pid).c_str(), text, sizeof text) <= 0) return -1;
  const char* const rest = strrchr(text, ')');
  int parent = -1;
  return rest != nullptr && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : -1;
}

}  // namespace posix_daemon
