// What a supervisor is told through its control pipe.
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "supervisor.h"

namespace posix_daemon {

// Lines, which may come in pieces. The end of the file is the end of who could write them.
void Supervisor::OnControl() {
  for (;;) {
    const ssize_t length = read(control_fd_, command_ + command_length_, sizeof command_ - 1 - command_length_);
    if (length == -1) return;  // EAGAIN
    if (length == 0) {
      close(control_fd_);
      control_fd_ = -1;
      return OnParentGone();
    }
    command_length_ += length;
    for (char* end; (end = static_cast<char*>(memchr(command_, '\n', command_length_))) != nullptr;) {
      *end++ = '\0';
      Obey(command_);
      command_length_ -= end - command_;
      memmove(command_, end, command_length_);
    }
    // No command is that long.
    if (command_length_ == sizeof command_ - 1) command_length_ = 0;
  }
}

void Supervisor::Obey(const char* command) {
  int number;
  if (strcmp(command, "stop") == 0) {
    asked_ = true;
    Stop(options_.stop_signal, Reach::kProgram);
  } else if (strcmp(command, "kill") == 0) {
    asked_ = true;
    KillAll();
  } else if (strcmp(command, "restart") == 0) {
    RestartAll();
  } else if (sscanf(command, "workers %d", &number) == 1) {
    Resize(number);
  } else if (sscanf(command, "signal %d", &number) == 1) {
    PassOn(number, Reach::kProgram);
  }
}

}  // namespace posix_daemon
