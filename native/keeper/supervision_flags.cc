#include "supervision_flags.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "read_number.h"

namespace posix_daemon {

namespace {

constexpr int kMaxWorkers = 10'000;

// std::from_chars can't in C++17's library, and would need libstdc++.
bool TakeDecimal(std::string_view* text, double* number) {
  char* end;
  *number = strtod(text->data(), &end);
  if (end == text->data() || !(*number >= 0) || *number > 1e6) return false;
  text->remove_prefix(end - text->data());
  return true;
}

bool ReadRestart(std::string_view text, Restart* restart) {
  if (text == "always") {
    *restart = Restart::kAlways;
  } else if (text == "on-failure") {
    *restart = Restart::kOnFailure;
  } else {
    *restart = Restart::kNever;
    return text == "never";
  }
  return true;
}

// 0,3,s15: exit codes, and signals behind an s.
bool ReadSuccess(std::string_view text, RestartPolicy* policy) {
  for (uint64_t& codes : policy->success_codes) codes = 0;
  policy->success_signals = 0;
  while (!text.empty()) {
    const bool is_signal = TakeSeparator(&text, 's');
    unsigned number;
    if (!TakeNumber(&text, &number) || number > 255) return false;
    if (is_signal) {
      if (number == 0 || number >= NSIG) return false;
      policy->success_signals |= uint64_t{1} << (number - 1);
    } else {
      policy->success_codes[number / 64] |= uint64_t{1} << number % 64;
    }
    if (!text.empty() && (!TakeSeparator(&text, ',') || text.empty())) return false;
  }
  return true;
}

bool ReadBackoff(std::string_view text, RestartPolicy* policy) {
  return TakeNumber(&text, &policy->initial_ms) && TakeSeparator(&text, ':') && TakeNumber(&text, &policy->max_ms) &&
         TakeSeparator(&text, ':') && TakeDecimal(&text, &policy->factor) && policy->factor >= 1 &&
         TakeSeparator(&text, ':') && TakeDecimal(&text, &policy->jitter) && policy->jitter <= 1 &&
         TakeSeparator(&text, ':') && TakeNumber(&text, &policy->reset_after_ms) && text.empty();
}

bool ReadMaxRestarts(std::string_view text, RestartPolicy* policy) {
  int64_t count;
  if (!TakeNumber(&text, &count) || count < -1 || count > static_cast<int64_t>(RestartPolicy::kMaxRestarts)) {
    return false;
  }
  policy->max_restarts = count == -1 ? RestartPolicy::kNoLimit : static_cast<size_t>(count);
  return TakeSeparator(&text, ':') && TakeNumber(&text, &policy->window_ms) && text.empty();
}

bool ReadReady(const char* text, SupervisionOptions* supervision) {
  using Ready = SupervisionOptions::Ready;
  if (strcmp(text, "exec") == 0) {
    supervision->ready = Ready::kExec;
  } else if (strcmp(text, "notify") == 0) {
    supervision->ready = Ready::kNotify;
  } else {
    supervision->ready = Ready::kPort;
    return strncmp(text, "port:", 5) == 0 && ReadPortAddress(text + 5, &supervision->ready_port);
  }
  return true;
}

}  // namespace

bool ReadSupervisionFlag(int flag, const char* argument, SupervisionOptions* supervision) {
  supervision->wanted = true;
  switch (flag) {
    case kTree:
      return supervision->kills_descendants = true;
    case kWorkers:
      return ReadNumber(argument, &supervision->workers) && supervision->workers > 0 &&
             supervision->workers <= kMaxWorkers;
    case kRestart:
      return ReadRestart(argument, &supervision->policy.restart);
    case kSuccess:
      return ReadSuccess(argument, &supervision->policy);
    case kBackoff:
      return ReadBackoff(argument, &supervision->policy);
    case kMaxRestarts:
      return ReadMaxRestarts(argument, &supervision->policy);
    case kStopTimeoutMs:
      return ReadNumber(argument, &supervision->stop_timeout_ms);
    case kReady:
      return ReadReady(argument, supervision);
    case kReadyTimeoutMs:
      return ReadNumber(argument, &supervision->ready_timeout_ms);
    case kHeartbeatMs:
      return ReadNumber(argument, &supervision->heartbeat_ms);
    case kMaxRss:
      return ReadNumber(argument, &supervision->max_rss);
    case kParent:
      return ReadNumber(argument, &supervision->parent) && supervision->parent > 0;
    case kParentGraceMs:
      return ReadNumber(argument, &supervision->parent_grace_ms);
    case kCgroup:
      supervision->cgroup = argument;
      return *argument == '/';
    case kEventsFd:
      return ReadNumber(argument, &supervision->events_fd);
    case kControlFd:
      return ReadNumber(argument, &supervision->control_fd);
    default:
      return false;
  }
}

}  // namespace posix_daemon
