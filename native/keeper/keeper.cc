#include "keeper.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

#include "clock.h"
#include "foreground.h"
#include "proc.h"
#include "program.h"
#include "signals.h"

namespace posix_daemon {

namespace {

constexpr int kSignals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

bool AsksForEnd(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT; }

}  // namespace

Keeper::Keeper(const Options& options)
    : options_(options),
      logs_(options.log),
      pid_file_(options.pid_file, options.lock_fd),
      status_file_(options.status_file),
      report_(options.report_fd) {}

int Keeper::Run() {
  if (Prepare() && Start()) {
    while (!ended_) Wait();
  }
  return End();
}

bool Keeper::Prepare() {
  signal_fd_ = WatchSignals(kSignals, std::size(kSignals));
  if (signal_fd_ == -1) return Fail(errno, "signalfd", "");
  const char* path = "";
  if (const int error = logs_.Open(&path); error != 0) return Fail(error, "open", path);
  if (const int error = pid_file_.Write(); error != 0) return Fail(error, "write", pid_file_.path());
  const int error = status_file_.Starting();
  return error == 0 || Fail(error, "write", status_file_.path());
}

bool Keeper::Start() {
  int streams[2] = {-1, -1};
  for (int i = 0; i < 2; i++) {
    if (const int error = logs_.MakePipe(i, &streams[i]); error != 0) return Fail(error, "pipe", "");
  }
  pid_ = StartProgram(options_.program, streams, -1, &failure_fd_);
  if (pid_ == -1) return Fail(errno, "fork", "");
  for (const int fd : streams) {
    if (fd != -1) close(fd);
  }
  return true;
}

void Keeper::Wait() {
  enum : size_t { kSignal, kReport, kFailure, kLogs };
  pollfd polled[kLogs + Logs::kPolled] = {
      {signal_fd_, POLLIN, 0},
      {report_.fd(), 0, 0},  // POLLERR comes unasked: the reader's end
      {failure_fd_, POLLIN, 0},
  };
  logs_.Prepare(polled + kLogs);
  const bool proving = phase_ == Phase::kProving && !abandoned_;
  const uint64_t now = Clock();
  const uint64_t limit_ms = !proving ? Logs::kForEver : ready_at_ms_ > now ? ready_at_ms_ - now : 0;
  if (logs_.Wait(polled, std::size(polled), limit_ms)) {
    logs_.Handle(polled + kLogs);
    if (polled[kFailure].revents != 0) OnLaunched();
    if (polled[kSignal].revents != 0) OnSignals();
    if (polled[kReport].revents != 0) Abandon();
  }
  if (proving && !abandoned_ && !ended_ && Clock() >= ready_at_ms_) ReportReady();
}

void Keeper::OnSignals() {
  signalfd_siginfo info;
  while (read(signal_fd_, &info, sizeof info) == sizeof info) OnSignal(info);
}

void Keeper::OnSignal(const signalfd_siginfo& info) {
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGCHLD) return Reap();
  if (signal == SIGHUP) return logs_.Reopen();
  if (AsksForEnd(signal)) asked_ = true;
  // What the terminal sends, it sends to the whole foreground group: the program has it already.
  if (options_.foreground && info.ssi_code == SI_KERNEL) return;
  PassOn(AsksForEnd(signal) ? options_.stop_signal : signal);
}

// A child on its way to the program would die of a signal, or lose it: it gets it as the program.
void Keeper::PassOn(int signal) {
  if (ended_) return;
  if (phase_ == Phase::kLaunching) {
    held_signals_ |= uint64_t{1} << (signal - 1);
  } else {
    kill(pid_, signal);
  }
}

// The failure pipe has something to read, or its end.
void Keeper::OnLaunched() {
  LaunchFailure failure;
  const ssize_t length = read(failure_fd_, &failure, sizeof failure);
  if (length == -1) return;  // EAGAIN: another child's end brought us here
  close(failure_fd_);
  failure_fd_ = -1;
  if (length == sizeof failure) {
    Fail(failure.error, StepName(failure.step), PathOf(failure.step, options_.program));
  } else if (ReadProcessStat(pid_).executed && !abandoned_) {
    OnExecuted();
  }  // Else the child was killed on its way: its end tells more.
}

void Keeper::OnExecuted() {
  phase_ = Phase::kProving;
  for (int signal = 1; signal < NSIG; signal++) {
    if ((held_signals_ >> (signal - 1) & 1) != 0) kill(pid_, signal);
  }
  ready_at_ms_ = Clock() + options_.up_ms;
  if (options_.up_ms == 0) ReportReady();
}

// The status first: who hears that the program is ready may look.
void Keeper::ReportReady() {
  if (const int error = status_file_.Running(pid_); error != 0) {
    Fail(error, "write", status_file_.path());
  } else if (report_.Ready(pid_)) {
    phase_ = Phase::kRunning;
  } else {
    Abandon();
  }
}

// The starter is gone, and took with it whoever wanted this program.
void Keeper::Abandon() {
  abandoned_ = true;
  report_.Close();
  if (!ended_) kill(pid_, SIGKILL);
}

void Keeper::Reap() {
  // First, for a child that is reaped can't be asked any more whether it came to its exec.
  if (failure_fd_ != -1) OnLaunched();
  int status;
  // Any child: as the first process of a container the keeper gets those that others have left.
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != pid_) continue;
    ended_ = true;
    wait_status_ = status;
  }
}

// The report of a failure comes last: who hears of it can start again at once, in the same place.
int Keeper::End() {
  logs_.Finish();
  if (phase_ != Phase::kRunning) {
    status_file_.Remove();
    pid_file_.Remove();
    pid_file_.Unlock();
    if (!abandoned_) report_.Ended(wait_status_);
    if (failure_.error != 0) report_.Failed(failure_.error, failure_.step, failure_.path);
  } else {
    status_file_.Exited(wait_status_, asked_);
    if (asked_ || wait_status_ == 0) pid_file_.Remove();
  }
  if (failure_.error != 0) return options_.foreground ? FailureCode(failure_.step, failure_.error) : 1;
  if (options_.foreground) return EndAs(wait_status_);
  return phase_ == Phase::kRunning ? 0 : 1;
}

// False, always.
bool Keeper::Fail(int error, const char* step, const char* path) {
  failure_ = {error, step, path};
  abandoned_ = true;
  if (pid_ != -1 && !ended_) kill(pid_, SIGKILL);
  return false;
}

}  // namespace posix_daemon
