// One of a supervisor's places for a program: what happens there now, and when something has to happen to it.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "events.h"
#include "notify_socket.h"
#include "program.h"
#include "restart_policy.h"

namespace posix_daemon {

constexpr uint64_t kNever = UINT64_MAX;
constexpr int kMaxWorkers = 10'000;

struct Slot {
  enum class State {
    kWaiting,   // until start_at
    kStarting,  // the child is on its way to the program
    kProving,   // the program runs, and isn't ready yet
    kReady,
    kOrphaned,  // the guard was killed: what it leaves behind has to go first
    kFinished,
    kGivenUp,
  };

  State state = State::kWaiting;
  uint64_t start_at = 0;
  RestartHistory history;
  unsigned restarts = 0;
  // There are to be fewer: it goes when its program has ended.
  bool retired = false;
  // Its turn in a rolling restart is still to come.
  bool must_restart = false;

  // Of the program that runs:
  pid_t guard = -1;
  // That was killed before it could clear up.
  pid_t lost_guard = -1;
  pid_t program = -1;
  // The guard reaps the program, so its pid may mean another process before one hears of it: this one's end is seen
  // here.
  int pidfd = -1;
  int message_fd = -1;
  NotifySocket notify;
  uint64_t started_at = 0;
  int64_t started_at_wall = 0;
  uint64_t start_ticks = 0;
  bool failed = false;
  LaunchFailure failure = {};
  // How the program ended, as far as its guard has said; and that the guard has killed what was left of it.
  bool ended = false;
  int wait_status = 0;
  bool cleared = false;
  int left = 0;
  // It said READY=1, perhaps before its guard had said that it runs.
  bool said_ready = false;
  Reason reason = Reason::kNone;
  // When it counts as ready without saying anything; when it must be; when it must have given a beat; when its port or
  // its size is looked at.
  uint64_t ready_at = kNever;
  uint64_t ready_by = kNever;
  uint64_t beat_by = kNever;
  uint64_t look_at = kNever;
  // When the guard is told to kill it; then when the guard itself is killed, being stopped, perhaps.
  uint64_t kill_at = kNever;
  uint64_t give_up_at = kNever;

  // Of the program before it:
  bool has_last = false;
  int last_wait_status = 0;
  int64_t last_ended_at_wall = 0;

  bool is_running() const { return guard != -1; }
  bool is_over() const { return state == State::kFinished || state == State::kGivenUp; }
  uint64_t Deadline() const;
  // Forgets the program that has ended.
  void Clear();
};

}  // namespace posix_daemon
