// Which programs of a supervisor are to run, and what is done so that they do.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <new>

#include "clock.h"
#include "guarded_start.h"
#include "proc.h"
#include "signals.h"
#include "supervisor.h"
#include "text.h"

namespace posix_daemon {

namespace {

// A guard that isn't stopped ends within moments.
constexpr uint64_t kGuardPatienceMs = 1000;
constexpr uint64_t kPortIntervalMs = 20;
constexpr uint64_t kSizeIntervalMs = 1000;

// In bytes; 0 if that can't be told.
uint64_t ResidentSize(pid_t pid) {
  char text[128];
  unsigned long pages = 0;
  const bool read = ReadSmallFile(Text<32>("/proc/%d/statm", pid).c_str(), text, sizeof text) > 0;
  if (!read || sscanf(text, "%*u %lu", &pages) != 1) return 0;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

bool Supervisor::IsOver() const {
  return std::all_of(slots_, slots_ + slot_count_, [](const Slot& slot) { return slot.is_over(); });
}

uint64_t Supervisor::NextDeadline() const {
  const bool is_cleaning = clean_until_ > Clock();
  uint64_t next = is_cleaning ? clean_until_ : kNever;
  for (int i = 0; i < slot_count_; i++) {
    // Nothing is started while something is cleaned up.
    if (!is_cleaning || slots_[i].state != Slot::State::kWaiting) next = std::min(next, slots_[i].Deadline());
  }
  return next;
}

void Supervisor::StartDue() {
  if (clean_until_ > Clock()) return;
  CleanUp();
  for (int i = 0; i < slot_count_; i++) {
    if (slots_[i].state == Slot::State::kWaiting && slots_[i].start_at <= Clock()) Start(&slots_[i]);
  }
}

void Supervisor::Start(Slot* slot) {
  const uint64_t now = Clock();
  slot->started_at = now;
  slot->started_at_wall = WallClock();
  slot->state = Slot::State::kStarting;
  const bool notifies = supervision_.ready == SupervisionOptions::Ready::kNotify || supervision_.heartbeat_ms > 0;
  int error = notifies ? slot->notify.Open(options_.program.uid.value_or(geteuid())) : 0;
  if (error == 0) {
    const GuardedStart start = {index_of(slot), {streams_[0], streams_[1]}, notifies ? slot->notify.address() : ""};
    slot->guard = StartGuarded(options_, start, &slot->message_fd);
    error = slot->guard == -1 ? errno : 0;
  }
  if (supervision_.ready_timeout_ms > 0) slot->ready_by = now + supervision_.ready_timeout_ms;
  if (error == 0) return;
  slot->failed = true;
  slot->failure = {Step::kClone, error};
  OnEnd(slot);
}

void Supervisor::Stop(int signal, Reach reach) {
  if (stopping_) return KillAll();
  stopping_ = true;
  for (int i = 0; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    if (slot.state == Slot::State::kWaiting) slot.state = Slot::State::kFinished;
    if (slot.is_running()) Ask(&slot, Reason::kStop, signal, reach);
  }
}

void Supervisor::KillAll() {
  stopping_ = true;
  for (int i = 0; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    if (slot.state == Slot::State::kWaiting) slot.state = Slot::State::kFinished;
    if (slot.is_running() && slot.give_up_at == kNever) EndGuard(&slot);
  }
}

void Supervisor::PassOn(int signal, Reach reach) {
  for (int i = 0; i < slot_count_; i++) Send(slots_[i], signal, reach);
}

// Whoever has continued this process may have stopped the programs, too.
void Supervisor::ForgiveSilence() {
  for (int i = 0; i < slot_count_; i++) {
    if (slots_[i].beat_by != kNever) slots_[i].beat_by = Clock() + supervision_.heartbeat_ms;
  }
}

// The guard is a child, and hands it on to a child of its own: neither number can mean another process.
void Supervisor::Send(const Slot& slot, int signal, Reach reach) {
  if (!slot.is_running()) return;
  sigval value = {};
  value.sival_int = reach == Reach::kGroup ? -signal : signal;
  if (sigqueue(slot.guard, PassingOnSignal(), value) == -1) return;  // It has just ended.
}

void Supervisor::Resize(int workers) {
  if (stopping_ || workers < 1) return;
  workers = std::min(workers, kMaxWorkers);
  wanted_ = workers;
  for (int i = 0; i < workers; i++) {
    if (i == slot_count_) {
      new (&slots_[slot_count_++]) Slot;
    } else if (slots_[i].retired) {
      slots_[i].retired = false;
      if (slots_[i].is_over()) slots_[i].state = Slot::State::kWaiting;
    }
  }
  for (int i = workers; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    slot.retired = true;
    if (slot.state == Slot::State::kWaiting) slot.state = Slot::State::kFinished;
    if (slot.is_running()) Ask(&slot, Reason::kStop);
  }
  DropRetired();
}

void Supervisor::DropRetired() {
  while (slot_count_ > wanted_ && slots_[slot_count_ - 1].is_over()) {
    if (restarting_ == &slots_[slot_count_ - 1]) restarting_ = nullptr;
    slots_[--slot_count_].~Slot();
  }
}

// One after another: each when the one before it is ready again.
void Supervisor::RestartAll() {
  if (stopping_) return;
  for (int i = 0; i < slot_count_; i++) slots_[i].must_restart = slots_[i].is_running() && !slots_[i].retired;
  // One that has just taken its place, and isn't ready, has its turn again.
  if (restarting_ != nullptr && restarting_->reason == Reason::kNone) restarting_ = nullptr;
  ContinueRestart();
}

void Supervisor::ContinueRestart() {
  const bool under_way = restarting_ != nullptr && !restarting_->is_over() &&
                         (restarting_->must_restart || restarting_->state != Slot::State::kReady);
  if (stopping_ || under_way) return;
  restarting_ = nullptr;
  for (int i = 0; i < slot_count_ && restarting_ == nullptr; i++) {
    if (slots_[i].must_restart) restarting_ = &slots_[i];
  }
  if (restarting_ != nullptr) Ask(restarting_, Reason::kRestart);
}

void Supervisor::Ask(Slot* slot, Reason reason) { Ask(slot, reason, options_.stop_signal, Reach::kProgram); }

void Supervisor::Ask(Slot* slot, Reason reason, int signal, Reach reach) {
  if (slot->reason != Reason::kNone) return;
  slot->reason = reason;
  slot->ready_by = slot->beat_by = slot->look_at = kNever;
  if (supervision_.stop_timeout_ms > 0) slot->kill_at = Clock() + supervision_.stop_timeout_ms;
  Send(*slot, signal, reach);
}

// Has the guard end the program and whatever that has started, also when it is stopped itself.
void Supervisor::EndGuard(Slot* slot) {
  if (!slot->is_running()) return;
  slot->ready_at = slot->ready_by = slot->beat_by = slot->look_at = slot->kill_at = kNever;
  slot->give_up_at = Clock() + kGuardPatienceMs;
  kill(slot->guard, SIGCONT);
}

void Supervisor::Enforce() {
  for (int i = 0; i < slot_count_; i++) {
    Slot& slot = slots_[i];
    if (!slot.is_running()) continue;
    const uint64_t now = Clock();
    if (slot.give_up_at <= now) {
      slot.give_up_at = kNever;
      kill(slot.guard, SIGKILL);
    } else if (slot.kill_at <= now) {
      EndGuard(&slot);
    } else if (slot.ready_by <= now || slot.beat_by <= now) {
      slot.reason = slot.ready_by <= now ? Reason::kReady : Reason::kHeartbeat;
      EndGuard(&slot);
    } else {
      if (slot.look_at <= now) Look(&slot);
      if (slot.ready_at <= now) OnReady(&slot);
    }
  }
}

void Supervisor::Look(Slot* slot) {
  if (slot->state == Slot::State::kProving) {
    slot->look_at = Clock() + kPortIntervalMs;
    if (IsOpen(supervision_.ready_port)) OnReady(slot);
    return;
  }
  slot->look_at = Clock() + kSizeIntervalMs;
  if (ResidentSize(slot->program) > supervision_.max_rss) Ask(slot, Reason::kRss);
}

}  // namespace posix_daemon
