#include "restart_policy.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

namespace posix_daemon {

bool RestartPolicy::IsSuccess(int wait_status) const {
  if (!WIFEXITED(wait_status)) return (success_signals >> (WTERMSIG(wait_status) - 1) & 1) != 0;
  const int code = WEXITSTATUS(wait_status);
  return (success_codes[code / 64] >> code % 64 & 1) != 0;
}

RestartHistory::~RestartHistory() { free(moments_); }

// Full when the oldest of the `limit` latest still lies within the window.
bool RestartHistory::IsFull(size_t limit, uint64_t now, uint64_t window_ms) const {
  if (limit == RestartPolicy::kNoLimit) return false;
  if (limit == 0) return true;
  return count_ >= limit && now - moments_[count_ % limit] < window_ms;
}

bool RestartHistory::Add(size_t limit, uint64_t now) {
  if (limit == RestartPolicy::kNoLimit) return true;
  if (moments_ == nullptr) moments_ = static_cast<uint64_t*>(calloc(limit, sizeof *moments_));
  if (moments_ == nullptr) return false;
  moments_[count_++ % limit] = now;
  return true;
}

// A loop, not pow(): that would be the only call of the math library.
static uint64_t Pause(const RestartPolicy& policy, unsigned failures, double chance) {
  if (failures == 0) return 0;
  const auto max_ms = static_cast<double>(policy.max_ms);
  auto full = static_cast<double>(policy.initial_ms);
  for (unsigned i = 1; i < failures && full < max_ms && full > 0 && policy.factor > 1; i++) full *= policy.factor;
  full = std::min(full, max_ms);
  return static_cast<uint64_t>(full) - static_cast<uint64_t>(full * policy.jitter * chance);
}

int64_t Decide(const RestartPolicy& policy, const Ending& end, RestartHistory* history) {
  const bool succeeded = end.began && !end.failed && policy.IsSuccess(end.wait_status);
  if (policy.restart == Restart::kNever || (policy.restart == Restart::kOnFailure && succeeded)) return kFinished;
  if (history->IsFull(policy.max_restarts, end.now, policy.window_ms)) return kGivenUp;
  // What could not even be started has no healthy time, and is never tried again at once.
  const bool was_healthy = end.began && end.now - end.started_at >= policy.reset_after_ms;
  const unsigned failures = was_healthy ? 0 : history->failures;
  if (!history->Add(policy.max_restarts, end.now)) return kGivenUp;
  history->failures = failures + 1;
  return static_cast<int64_t>(Pause(policy, end.began ? failures : failures + 1, end.chance));
}

}  // namespace posix_daemon
