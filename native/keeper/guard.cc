#include "guard.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>

#include "clock.h"
#include "descendants.h"
#include "foreground.h"
#include "proc.h"
#include "program.h"
#include "signals.h"

namespace posix_daemon {

int Guard::Prepare() {
  // A guard that stopped couldn't kill, and one that died would take the program along.
  const int signals[] = {SIGCHLD, SIGCONT, SIGTERM, SIGHUP,  SIGINT,  SIGQUIT,
                         SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, PassingOnSignal()};
  signal_fd_ = WatchSignals(signals, std::size(signals));
  if (signal_fd_ == -1) return errno;
  if (options_.kills_descendants && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) return errno;
  // SIGCONT, which the kernel sends in the watchdog's name when that dies: of all signals that can wait it is the only
  // one that gets a stopped guard going. If the watchdog has died before, Wait() sees it.
  return prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0) == -1 ? errno : 0;
}

int Guard::MakeCgroup() const { return options_.kills_descendants ? cgroup_.Make() : -1; }

void Guard::Enclose(pid_t program) const {
  if (options_.kills_descendants) cgroup_.Enclose(program);
}

void Guard::Take(pid_t program, int failure_fd, int message_fd) {
  program_ = program;
  failure_fd_ = failure_fd;
  message_fd_ = message_fd;
  Tell(GuardMessage::kStarted, program);
}

int Guard::Run() {
  while (!Reap()) {
    if (getppid() != options_.watchdog) OnWatchdogGone();
    if (must_end_) {
      KillProgram();
      break;
    }
    Wait();
  }
  // At once: what is left may take its time, and this process not see the end of it.
  Tell(GuardMessage::kEnded, status_);
  Tell(GuardMessage::kCleared, options_.kills_descendants ? KillLeft() : 0);
  TellEnd();
  return EndAs(status_);
}

// Among the records of a worker (src/watchdog/slot.ts), as one of them.
void Guard::TellEnd() const {
  constexpr uint32_t kEnded = 5;
  if (options_.end_fd != -1 && write(options_.end_fd, &kEnded, sizeof kEnded) == -1) return;
}

// A watchdog that has died doesn't read it, nor has the room any meaning.
void Guard::Tell(GuardMessage::Kind kind, int value, int detail) const {
  const GuardMessage message = {kind, value, detail};
  if (message_fd_ != -1 && write(message_fd_, &message, sizeof message) == -1) return;
}

// Reaps what has ended; whether the program has.
bool Guard::Reap() {
  // First, for a child that is reaped can't be asked any more whether it came to its exec.
  if (failure_fd_ != -1) OnLaunched();
  bool ended = false;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != program_) continue;
    status_ = status;
    ended = true;
  }
  return ended;
}

void Guard::Wait() {
  pollfd polled[] = {{signal_fd_, POLLIN, 0}, {failure_fd_, POLLIN, 0}};
  const uint64_t now = Clock();
  const timespec left = Milliseconds(kill_at_ms_ > now ? kill_at_ms_ - now : 0);
  ppoll(polled, std::size(polled), terminating_ ? &left : nullptr, nullptr);
  if (polled[0].revents != 0) OnSignals();
  if (terminating_ && Clock() >= kill_at_ms_) must_end_ = true;
}

// SIGCONT from the watchdog asks for the end; from others, a shell's `fg` for one, it means nothing.
void Guard::OnSignals() {
  for (signalfd_siginfo info; read(signal_fd_, &info, sizeof info) == sizeof info;) {
    const int signal = static_cast<int>(info.ssi_signo);
    const bool from_watchdog = static_cast<pid_t>(info.ssi_pid) == options_.watchdog;
    if (signal == PassingOnSignal() && from_watchdog) PassOn(info.ssi_int);
    must_end_ |= signal == SIGTERM;
    // The kernel's, at the watchdog's death, looks the same but for the parent.
    must_end_ |= signal == SIGCONT && from_watchdog && getppid() == options_.watchdog && options_.asked_by_sigcont;
  }
}

// `signal`: negative for the whole group of the program. A child on its way to the program would die of a signal, or
// lose it: it gets it as the program.
void Guard::PassOn(int signal) {
  const int number = std::abs(signal);
  if (number == 0 || number >= NSIG) return;
  if (failure_fd_ == -1) return Signal(number, signal < 0);
  const auto bit = [](int one) { return uint64_t{1} << (one - 1); };
  // They undo each other, and are sent by their numbers.
  if (number == SIGCONT) held_signals_ &= ~bit(SIGTSTP);
  if (number == SIGTSTP) held_signals_ &= ~bit(SIGCONT);
  held_signals_ |= bit(number);
}

// The program hasn't been reaped, so its number means neither another process nor another group.
void Guard::Signal(int signal, bool whole_group) const {
  if (whole_group && kill(-program_, signal) == 0 && getpgid(program_) == program_) return;
  kill(program_, signal);
}

// The failure pipe has something to read, or its end.
void Guard::OnLaunched() {
  LaunchFailure failure;
  const ssize_t length = read(failure_fd_, &failure, sizeof failure);
  if (length == -1) return;  // EAGAIN: it is still on its way
  close(failure_fd_);
  failure_fd_ = -1;
  if (length == sizeof failure) return Tell(GuardMessage::kFailed, static_cast<int>(failure.step), failure.error);
  // Else it was killed on its way: its end tells more.
  if (!ReadProcessStat(program_).executed) return;
  Tell(GuardMessage::kExecuted, program_);
  for (int signal = 1; signal < NSIG; signal++) {
    if ((held_signals_ >> (signal - 1) & 1) != 0) kill(program_, signal);
  }
}

void Guard::OnWatchdogGone() {
  if (terminating_) return;
  if (options_.terminate_signal == 0) {
    must_end_ = true;
    return;
  }
  terminating_ = true;
  kill_at_ms_ = Clock() + options_.grace_ms;
  kill(program_, options_.terminate_signal);
  // What is stopped takes no signal.
  Signal(SIGCONT, true);
}

// Before what it has started: it could see its children die and start others.
void Guard::KillProgram() {
  kill(program_, SIGKILL);
  while (waitpid(program_, &status_, 0) == -1 && errno == EINTR) {
  }
}

// How many were left.
int Guard::KillLeft() {
  const int left = CountChildren();
  cgroup_.Kill();
  KillDescendants();
  cgroup_.Remove();
  return left;
}

}  // namespace posix_daemon
