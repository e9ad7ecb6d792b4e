// What the keeper reads in /proc.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace posix_daemon {

// Reads a file of the kernel's, as text that ends in a NUL; its length, or -1 with errno.
ssize_t ReadSmallFile(const char* path, char* text, size_t size);

struct ProcessStat {
  // Whether the process has executed a program since its fork; true also where /proc can't tell.
  bool executed = true;
  // When it started, in clock ticks since boot: with the pid and the boot it is a process for all time.
  uint64_t start_ticks = 0;
};

ProcessStat ReadProcessStat(pid_t pid);

// -1 if there is no such process.
pid_t ParentOf(pid_t pid);

}  // namespace posix_daemon
