#include "supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>

#include "clock.h"
#include "foreground.h"
#include "signals.h"

namespace posix_daemon {

namespace {

// What is polled besides the slots' descriptors.
enum : size_t { kSignal, kReport, kControl, kLogs, kSlots = kLogs + Logs::kPolled };
constexpr size_t kPerSlot = 3;

bool AsksForEnd(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT; }

}  // namespace

Supervisor::Supervisor(const Options& options)
    : options_(options),
      supervision_(options.supervision),
      logs_(options.log),
      pid_file_(options.pid_file, options.lock_fd),
      status_file_(options.status_file),
      report_(options.report_fd),
      events_(options.supervision.events_fd),
      had_terminal_(options.foreground && HasTerminal()),
      control_fd_(options.supervision.control_fd) {}

Supervisor::~Supervisor() {
  for (int i = 0; i < slot_count_; i++) slots_[i].~Slot();
  free(slots_);
  free(polled_);
}

int Supervisor::Run() {
  if (Prepare()) {
    for (;;) {
      StartDue();
      if (IsOver()) break;
      Wait();
      Enforce();
    }
  }
  return End();
}

bool Supervisor::Prepare() {
  // SIGTTIN and SIGTTOU are watched to be dropped: a blocked one neither stops this process nor keeps it from writing
  // to the terminal of another group. The kernel sends them to a whole process group, so they say nothing of what
  // anybody wants.
  const int signals[] = {SIGCHLD, SIGHUP,   SIGTERM, SIGINT,  SIGQUIT, SIGUSR1,          SIGUSR2,
                         SIGCONT, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU, PassingOnSignal()};
  signal_fd_ = WatchSignals(signals, std::size(signals));
  if (signal_fd_ == -1) return Fail(errno, "signalfd", "");
  // What a killed guard leaves behind comes here.
  if (supervision_.kills_descendants && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
    return Fail(errno, "prctl", "");
  if (supervision_.parent != -1) {
    if (prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0) == -1) return Fail(errno, "prctl", "");
    if (getppid() != supervision_.parent) return Fail(ESRCH, "prctl", "");
  }
  if (control_fd_ != -1) fcntl(control_fd_, F_SETFL, O_NONBLOCK);
  const char* path = "";
  if (const int error = logs_.Open(&path); error != 0) return Fail(error, "open", path);
  for (int i = 0; i < 2; i++) {
    if (const int error = logs_.MakePipe(i, &streams_[i]); error != 0) return Fail(error, "pipe", "");
  }
  if (const int error = pid_file_.Write(); error != 0) return Fail(error, "write", pid_file_.path());
  if (const int error = status_file_.Starting(); error != 0) return Fail(error, "write", status_file_.path());
  return MakePool() || Fail(ENOMEM, "calloc", "");
}

// Room for all that there can ever be: what isn't used is never touched, and so takes no memory.
bool Supervisor::MakePool() {
  slots_ = static_cast<Slot*>(calloc(kMaxWorkers, sizeof *slots_));
  polled_ = static_cast<pollfd*>(calloc(kSlots + kPerSlot * kMaxWorkers, sizeof *polled_));
  if (slots_ == nullptr || polled_ == nullptr) return false;
  Resize(supervision_.workers == 0 ? 1 : supervision_.workers);
  return true;
}

void Supervisor::Wait() {
  polled_[kSignal] = {signal_fd_, POLLIN, 0};
  polled_[kReport] = {report_.fd(), 0, 0};  // POLLERR comes unasked: the reader's end
  polled_[kControl] = {control_fd_, POLLIN, 0};
  logs_.Prepare(polled_ + kLogs);
  // Only those that are open: ppoll refuses more entries than the process may have descriptors.
  size_t count = kSlots;
  for (int i = 0; i < slot_count_; i++) {
    const Slot& slot = slots_[i];
    for (const int fd : {slot.notify.fd(), slot.message_fd, slot.pidfd}) {
      if (fd != -1) polled_[count++] = {fd, POLLIN, 0};
    }
  }
  const uint64_t deadline = NextDeadline();
  const uint64_t now = Clock();
  const uint64_t limit_ms = deadline == kNever ? Logs::kForEver : deadline > now ? deadline - now : 0;
  if (!logs_.Wait(polled_, count, limit_ms)) return;
  logs_.Handle(polled_ + kLogs);
  for (size_t n = kSlots; n < count; n++) {
    if (polled_[n].revents != 0) HearSlot(polled_[n].fd);
  }
  if (polled_[kSignal].revents != 0) OnSignals();
  if (polled_[kControl].revents != 0) OnControl();
  if (polled_[kReport].revents != 0) Abandon();
}

// What has come a moment ago may have closed it.
void Supervisor::HearSlot(int fd) {
  for (int i = 0; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    if (slot.notify.fd() == fd) return HearProgram(&slot);
    if (slot.message_fd == fd) return Hear(&slot);
    if (slot.pidfd == fd) return OnProgramEnd(&slot);
  }
}

void Supervisor::OnSignals() {
  signalfd_siginfo info;
  while (read(signal_fd_, &info, sizeof info) == sizeof info) OnSignal(info);
}

void Supervisor::OnSignal(const signalfd_siginfo& info) {
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGCHLD) return Reap();
  // The programs aren't in this process's group: what the terminal sends that, they get from here.
  const bool from_terminal = info.ssi_code == SI_KERNEL;
  const Reach reach = from_terminal || signal == SIGCONT ? Reach::kGroup : Reach::kProgram;
  if (signal == SIGHUP) return IsHangUp(from_terminal) ? OnHangUp() : logs_.Reopen();
  if (signal == SIGTSTP) return OnTerminalStop();
  if (signal == SIGTTIN || signal == SIGTTOU || signal == PassingOnSignal()) return;
  if (signal == SIGCONT && ParentIsGone()) return OnParentGone();
  if (signal == SIGCONT) ForgiveSilence();
  if (AsksForEnd(signal)) {
    asked_ = true;
    if (IsEcho(signal)) return;
    return Stop(from_terminal ? signal : options_.stop_signal, reach);
  }
  PassOn(signal, reach);
}

// timeout(1) and others send a signal to their child, and then to its whole group: no second wish.
bool Supervisor::IsEcho(int signal) {
  constexpr uint64_t kEchoMs = 200;
  const uint64_t now = Clock();
  const bool is_echo = stopping_ && signal == end_signal_ && now - end_signal_at_ < kEchoMs;
  if (!is_echo) {
    end_signal_ = signal;
    end_signal_at_ = now;
  }
  return is_echo;
}

bool Supervisor::ParentIsGone() const { return supervision_.parent != -1 && getppid() != supervision_.parent; }

// Its guards would see to it as well, if this process were to end here; but the logs want their last lines.
void Supervisor::OnParentGone() {
  if (supervision_.parent_grace_ms == 0) return KillAll();
  if (!stopping_) Stop(options_.stop_signal, Reach::kProgram);
  const uint64_t kill_at = Clock() + supervision_.parent_grace_ms;
  for (int i = 0; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    if (slot.is_running() && slot.give_up_at == kNever) slot.kill_at = std::min(slot.kill_at, kill_at);
  }
}

// The starter is gone, and took with it whoever wanted these programs.
void Supervisor::Abandon() {
  abandoned_ = true;
  report_.Close();
  KillAll();
}

// False, always.
bool Supervisor::Fail(int error, const char* step, const char* path) {
  if (failure_.error == 0) failure_ = {error, step, path};
  last_wait_status_ = FailureCode(failure_.step, failure_.error) << 8;
  abandoned_ = true;
  KillAll();
  return false;
}

// The report of a failure comes last: who hears of it can start again at once, in the same place.
int Supervisor::End() {
  for (const int fd : streams_) {
    if (fd != -1) close(fd);
  }
  logs_.Finish();
  if (abandoned_ || !started_) {
    status_file_.Remove();
    pid_file_.Remove();
    pid_file_.Unlock();
    if (failure_.error == 0) report_.Ended(last_wait_status_);
  } else {
    status_file_.Exited(last_wait_status_, asked_);
    if (asked_ || last_wait_status_ == 0) pid_file_.Remove();
  }
  events_.Stopped(last_wait_status_);
  if (failure_.error != 0) {
    report_.Failed(failure_.error, failure_.step, failure_.path);
    return options_.foreground ? FailureCode(failure_.step, failure_.error) : 1;
  }
  if (options_.foreground) return EndAs(last_wait_status_);
  return started_ && !abandoned_ ? 0 : 1;
}

int RunSupervisor(const Options& options) {
  Supervisor supervisor(options);
  return supervisor.Run();
}

}  // namespace posix_daemon
