// What a supervisor in the foreground does about its terminal. The programs are in sessions without one.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "signals.h"
#include "supervisor.h"

namespace posix_daemon {

// Whether this process has a controlling terminal: 0, or an errno.
static int OpenTerminal() {
  const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd == -1) return errno;
  close(fd);
  return 0;
}

bool Supervisor::HasTerminal() { return OpenTerminal() == 0; }

void Supervisor::OnTerminalStop() {
  PassOn(SIGTSTP, Reach::kGroup);
  StopAsTerminalDoes();
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  // It hasn't been stopped, so nobody will continue it.
  if (sigismember(&pending, SIGCONT) != 1) PassOn(SIGCONT, Reach::kGroup);
}

// A shell sends its jobs SIGHUP when its terminal has closed, and so does the kernel; anybody else wants the logs
// opened anew.
bool Supervisor::IsHangUp(bool from_terminal) const {
  if (!had_terminal_) return false;
  if (from_terminal) return true;
  const int error = OpenTerminal();
  return error == ENXIO || error == EIO;
}

// Programs that die of it must not be started again. It may come twice.
void Supervisor::OnHangUp() {
  asked_ = true;
  if (stopping_) return;
  PassOn(SIGHUP, Reach::kGroup);
  Stop(options_.stop_signal, Reach::kProgram);
}

}  // namespace posix_daemon
