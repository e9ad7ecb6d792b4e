#pragma once

#include <sys/types.h>

namespace posix_daemon {

// The socket of sd_notify(3), on which a program says that it is ready, and that it is alive.
class NotifySocket {
 public:
  // An errno. Only root, this user and the program's may speak on it.
  int Open(uid_t program_user);
  void Close();

  // For NOTIFY_SOCKET.
  const char* address() const { return address_; }
  int fd() const { return fd_; }

  struct Said {
    bool ready;
    bool alive;
  };
  // All that has been said since.
  Said Read() const;

 private:
  int fd_ = -1;
  uid_t program_user_ = 0;
  char address_[16] = "";
};

}  // namespace posix_daemon
