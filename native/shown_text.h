// What /proc shows of this process's command line and environment, in memory of our own.
#pragma once

#include <string>

namespace posix_daemon {

enum class ShownText { kCommandLine, kEnvironment };

struct ShowFailure {
  int error;  // 0: none
  const char* syscall;
  const char* path;
};

// Makes `text` what /proc/PID/cmdline or /proc/PID/environ shows, or fails with nothing changed. Main thread only.
ShowFailure Show(ShownText what, const std::string& text);

// Gives the calling thread what the kernel keeps of a name: 15 bytes, and no half character at the end of them.
void NameThread(const std::string& title);

}  // namespace posix_daemon
