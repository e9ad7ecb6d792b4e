#pragma once

#include <cstddef>

#include "log_file.h"

namespace posix_daemon {

// Carries what comes out of a pipe into a log, in whole lines.
class Pump {
 public:
  // Takes the pipe's read end for its own.
  void Start(int fd, LogFile* log, bool timestamps);

  // Reads once, without waiting; at the pipe's end it closes it.
  void Read();
  // Reads what is in the pipe by now, ends the last line and closes it, even if somebody could still write.
  void Finish();

  // -1 when nothing will come any more.
  int fd() const { return fd_; }

 private:
  static constexpr size_t kCapacity = 64 << 10;

  // How much came; 0 when there was nothing or no more.
  size_t ReadUpTo(size_t limit);
  void PassOn(size_t length);
  void Close();

  int fd_ = -1;
  LogFile* log_ = nullptr;
  bool timestamps_ = false;
  // Whether the next byte is a line's first.
  bool at_line_start_ = true;
  size_t length_ = 0;
  char buffer_[kCapacity + 1];  // and the end of a last line that has none
};

}  // namespace posix_daemon
