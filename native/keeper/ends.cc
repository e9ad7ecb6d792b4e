// What a supervisor hears of its programs, and what it does when they end.
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "cgroup.h"
#include "clock.h"
#include "descendants.h"
#include "guard.h"
#include "proc.h"
#include "supervisor.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace posix_daemon {

namespace {

constexpr uint64_t kCleaningMs = 1000;

// 0 <= chance < 1
double Chance() {
  uint32_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) == -1) return 0;
  return bits / 4294967296.0;
}

}  // namespace

void Supervisor::Hear(Slot* slot) {
  GuardMessage message;
  while (slot->message_fd != -1) {
    const ssize_t length = read(slot->message_fd, &message, sizeof message);
    if (length == -1) return;  // EAGAIN
    if (length != sizeof message) {
      // It has ended; SIGCHLD comes by itself.
      close(slot->message_fd);
      slot->message_fd = -1;
      return;
    }
    switch (message.kind) {
      case GuardMessage::kStarted:
        OnStarted(slot, message.value);
        break;
      case GuardMessage::kFailed:
        slot->failed = true;
        slot->failure = {static_cast<Step>(message.value), message.detail};
        break;
      case GuardMessage::kExecuted:
        OnExecuted(slot);
        break;
      case GuardMessage::kEnded:
        slot->ended = true;
        slot->wait_status = message.value;
        break;
      case GuardMessage::kCleared:
        slot->cleared = true;
        slot->left = message.value;
        break;
    }
  }
}

void Supervisor::OnStarted(Slot* slot, pid_t program) {
  slot->program = program;
  slot->pidfd = static_cast<int>(syscall(SYS_pidfd_open, program, 0));
  // Not another process that has its number by now.
  if (slot->pidfd != -1 && ParentOf(program) != slot->guard) {
    close(slot->pidfd);
    slot->pidfd = -1;
  }
}

// The program has ended, which its guard may not see, being stopped or dead.
void Supervisor::OnProgramEnd(Slot* slot) {
  close(slot->pidfd);
  slot->pidfd = -1;
  if (slot->is_running() && slot->give_up_at == kNever) EndGuard(slot);
  if (slot->state == Slot::State::kOrphaned) CleanUp();
}

void Supervisor::OnExecuted(Slot* slot) {
  using Ready = SupervisionOptions::Ready;
  slot->state = Slot::State::kProving;
  slot->start_ticks = ReadProcessStat(slot->program).start_ticks;
  events_.Spawned(index_of(slot), slot->program);
  WriteStatus();
  if (stopping_ || slot->reason != Reason::kNone) return;
  if (supervision_.ready == Ready::kPort) slot->look_at = Clock();
  if (supervision_.ready == Ready::kNotify && slot->said_ready) OnReady(slot);
  if (supervision_.ready != Ready::kExec) return;
  slot->ready_at = Clock() + options_.up_ms;
  if (options_.up_ms == 0) OnReady(slot);
}

void Supervisor::HearProgram(Slot* slot) {
  const auto [ready, alive] = slot->notify.Read();
  slot->said_ready |= ready;
  if (ready && slot->state == Slot::State::kProving && supervision_.ready == SupervisionOptions::Ready::kNotify) {
    OnReady(slot);
  }
  if (alive && slot->beat_by != kNever) slot->beat_by = Clock() + supervision_.heartbeat_ms;
}

// The status first: who hears that a program is ready may look.
void Supervisor::OnReady(Slot* slot) {
  slot->state = Slot::State::kReady;
  slot->ready_at = slot->ready_by = kNever;
  if (slot->reason == Reason::kNone) {
    slot->look_at = supervision_.max_rss > 0 ? Clock() : kNever;
    if (supervision_.heartbeat_ms > 0) slot->beat_by = Clock() + supervision_.heartbeat_ms;
  }
  const bool first = !started_ && AreReady();
  if (first) started_ = true;
  const int error = WriteStatus();
  events_.Ready(index_of(slot), slot->program);
  if (first && error != 0) {
    started_ = false;
    Fail(error, "write", status_file_.path());
  } else if (first && !report_.Ready(slots_[0].program)) {
    Abandon();
  }
  ContinueRestart();
}

// All that are still to do something.
bool Supervisor::AreReady() const {
  return std::all_of(slots_, slots_ + slot_count_,
                     [](const Slot& slot) { return slot.state == Slot::State::kReady || slot.is_over(); });
}

void Supervisor::Reap() {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (int i = 0; i < slot_count_; i++) {
      if (slots_[i].guard == pid) OnGuardEnd(&slots_[i]);
    }
  }
  CleanUp();
}

void Supervisor::OnGuardEnd(Slot* slot) {
  // It is reaped: what it has said may not lead to a signal for its number.
  const pid_t guard = std::exchange(slot->guard, -1);
  Hear(slot);
  if (slot->cleared || (slot->failed && slot->program == -1)) return OnEnd(slot);
  // It was killed. The kernel kills its program, but not one that has changed its user; what that has started comes
  // here. All has to go before the next program wants the same port or lock.
  slot->lost_guard = guard;
  Cgroup(supervision_.cgroup, guard).Kill();
  if (slot->pidfd != -1) syscall(SYS_pidfd_send_signal, slot->pidfd, SIGKILL, nullptr, 0);
  if (!slot->ended) slot->wait_status = SIGKILL;
  slot->state = Slot::State::kOrphaned;
  clean_until_ = Clock() + kCleaningMs;
}

// Of guards that were killed: everything that is no guard was theirs.
void Supervisor::CleanUp() {
  if (clean_until_ == 0) return;
  const auto is_guard = [](pid_t child, const void* context) {
    const auto* const self = static_cast<const Supervisor*>(context);
    return std::any_of(self->slots_, self->slots_ + self->slot_count_,
                       [child](const Slot& slot) { return slot.guard == child; });
  };
  const bool lives = std::any_of(slots_, slots_ + slot_count_, [](const Slot& slot) {
    return slot.state == Slot::State::kOrphaned && slot.pidfd != -1;
  });
  // What couldn't be killed in time, being traced or in a system call that has no end, holds up nothing.
  if ((KillChildrenBut(is_guard, this) > 0 || lives) && Clock() < clean_until_) return;
  clean_until_ = 0;
  for (int i = 0; i < slot_count_; i++) {
    if (slots_[i].state != Slot::State::kOrphaned) continue;
    Cgroup(supervision_.cgroup, slots_[i].lost_guard).Remove();
    OnEnd(&slots_[i]);
  }
}

void Supervisor::OnEnd(Slot* slot) {
  const int64_t next = Next(slot);
  slot->has_last = true;
  slot->last_ended_at_wall = WallClock();
  slot->last_wait_status = slot->failed ? 127 << 8 : slot->wait_status;
  // Of a start that has failed the first end is the reason, and the others follow from it.
  if (!start_failed_) last_wait_status_ = slot->last_wait_status;
  if (slot->failed) {
    events_.Failed(index_of(slot), slot->failure, PathOf(slot->failure.step, options_.program), next);
  } else {
    events_.Exited(index_of(slot), slot->program, slot->wait_status, slot->left, slot->reason, next);
  }
  if (started_ || report_.fd() == -1) Explain(*slot, next);
  // The start has failed: of all programs nothing may be left.
  const bool was_first = !started_ && !stopping_ && !slot->retired && report_.fd() != -1;
  if (slot->failed && (was_first || next == kGivenUp)) {
    failure_ = {slot->failure.error, StepName(slot->failure.step), PathOf(slot->failure.step, options_.program)};
  }
  slot->Clear();
  slot->must_restart = false;
  slot->state = next >= 0 ? Slot::State::kWaiting : next == kGivenUp ? Slot::State::kGivenUp : Slot::State::kFinished;
  if (next >= 0) {
    slot->start_at = Clock() + next;
    slot->restarts++;
  }
  if (was_first) {
    start_failed_ = true;
    KillAll();
  }
  if (!started_ && !stopping_ && report_.fd() == -1) started_ = AreReady();
  DropRetired();
  WriteStatus();
  ContinueRestart();
}

int64_t Supervisor::Next(Slot* slot) const {
  if (stopping_ || slot->retired || (!started_ && report_.fd() != -1)) return kFinished;
  // That it was asked to end was no end of its own.
  if (slot->reason == Reason::kRestart || slot->reason == Reason::kStop) return 0;
  const Ending end = {slot->wait_status, !slot->failed, slot->reason != Reason::kNone,
                      slot->started_at,  Clock(),       Chance()};
  return Decide(supervision_.policy, end, &slot->history);
}

int Supervisor::WriteStatus() { return status_file_.Supervising(slots_, slot_count_, started_); }

}  // namespace posix_daemon
