#pragma once

#include <cstdint>

namespace posix_daemon {

// Keeps readers out of a file while it is written to. The kernel shows them a write page by page, so that a copy made
// meanwhile can end in the middle of a line; and who then truncates the file (copytruncate of logrotate) makes that
// final. A write lease tells whether anyone else has the file open, and lets those who open it now wait for its end.
class FileTurn {
 public:
  // For another file.
  void Reset(bool is_regular);

  // Around a write. Waits for those who have the file open already, but only a little: `tail -f` never goes. Someone
  // who opens it with O_NONBLOCK in between gets EWOULDBLOCK.
  void Begin(int fd);
  void End(int fd);

 private:
  bool Take(int fd);

  bool usable_ = false;
  bool taken_ = false;
  // Somebody has had it open for longer than we wait; no longer waited for until it has been free again.
  bool given_up_ = false;
  // What may still be spent on waiting. It grows with the time, so that nobody can hold the program up by opening its
  // log again and again.
  uint64_t credit_ms_ = 0;
  uint64_t credited_at_ms_ = 0;
};

}  // namespace posix_daemon
