// What to do when a program has ended. Nothing here starts, waits or looks at a clock: the caller brings the moment and
// the chance. The same as src/watchdog/restart-policy.ts decides for workers that are forked; one table tests both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace posix_daemon {

enum class Restart { kNever, kOnFailure, kAlways };

struct RestartPolicy {
  Restart restart = Restart::kNever;
  // A bit for each exit code, and one for each signal.
  uint64_t success_codes[4] = {1};
  uint64_t success_signals = 0;
  // The pauses between an end and the next start: none, initial, initial * factor and so on, less up to `jitter` of it.
  uint64_t initial_ms = 100;
  uint64_t max_ms = 30'000;
  double factor = 2;
  double jitter = 0.1;
  // A program that ran this long was healthy: the pauses begin anew.
  uint64_t reset_after_ms = 10'000;
  // How many restarts within the window before it is given up; kNoLimit: never.
  size_t max_restarts = 10;
  uint64_t window_ms = 60'000;

  static constexpr size_t kNoLimit = SIZE_MAX;
  static constexpr size_t kMaxRestarts = 100'000;

  bool IsSuccess(int wait_status) const;
};

// What is remembered of one program's restarts.
class RestartHistory {
 public:
  RestartHistory() = default;
  RestartHistory(const RestartHistory&) = delete;
  RestartHistory& operator=(const RestartHistory&) = delete;
  ~RestartHistory();

  // False when `limit` moments would have to be remembered and aren't.
  bool IsFull(size_t limit, uint64_t now, uint64_t window_ms) const;
  // False with errno if there is no memory.
  bool Add(size_t limit, uint64_t now);

  // How many in a row ended before they were healthy.
  unsigned failures = 0;

 private:
  // The latest moments, as a ring.
  uint64_t* moments_ = nullptr;
  size_t count_ = 0;
};

struct Ending {
  // As waitpid has it; of no meaning if the program never began.
  int wait_status;
  bool began;
  // It was told to end because it has to be replaced: that it obeyed is no success.
  bool failed;
  uint64_t started_at;
  uint64_t now;
  // 0 <= chance < 1
  double chance;
};

constexpr int64_t kFinished = -1;
constexpr int64_t kGivenUp = -2;

// In how many ms it is started again, or kFinished, or kGivenUp. A restart is remembered in `history`.
int64_t Decide(const RestartPolicy& policy, const Ending& end, RestartHistory* history);

}  // namespace posix_daemon
