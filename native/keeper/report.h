// The one line that whoever started the keeper waits for.
#pragma once

#include <sys/types.h>

namespace posix_daemon {

class Report {
 public:
  // Without a descriptor (-1) failures go to standard error.
  explicit Report(int fd) : fd_(fd) {}

  // Each says its line and closes the pipe. False when nobody reads it any more.
  bool Ready(pid_t pid);
  bool Failed(int error, const char* step, const char* path);
  bool Ended(int wait_status);

  // Says nothing more, as nobody listens.
  void Close();

  // To be polled for POLLERR, which is how the reader's end is noticed; -1 when all is said.
  int fd() const { return fd_; }

 private:
  bool Say(const char* line, int length);

  int fd_;
};

}  // namespace posix_daemon
