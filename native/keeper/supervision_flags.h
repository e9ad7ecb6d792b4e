// The flags of `run` that have programs watched and started again.
#pragma once

#include <getopt.h>

#include "options.h"

namespace posix_daemon {

enum SupervisionFlag : int {
  kTree = 1,
  kWorkers,
  kRestart,
  kSuccess,
  kBackoff,
  kMaxRestarts,
  kStopTimeoutMs,
  kReady,
  kReadyTimeoutMs,
  kHeartbeatMs,
  kMaxRss,
  kParent,
  kParentGraceMs,
  kCgroup,
  kEventsFd,
  kControlFd,
  kFirstFlagOfTheRest,
};

constexpr option kSupervisionFlags[] = {
    {"tree", no_argument, nullptr, kTree},
    {"workers", required_argument, nullptr, kWorkers},
    {"restart", required_argument, nullptr, kRestart},
    {"success", required_argument, nullptr, kSuccess},
    {"backoff", required_argument, nullptr, kBackoff},
    {"max-restarts", required_argument, nullptr, kMaxRestarts},
    {"stop-timeout-ms", required_argument, nullptr, kStopTimeoutMs},
    {"ready", required_argument, nullptr, kReady},
    {"ready-timeout-ms", required_argument, nullptr, kReadyTimeoutMs},
    {"heartbeat-ms", required_argument, nullptr, kHeartbeatMs},
    {"max-rss", required_argument, nullptr, kMaxRss},
    {"parent", required_argument, nullptr, kParent},
    {"parent-grace-ms", required_argument, nullptr, kParentGraceMs},
    {"cgroup", required_argument, nullptr, kCgroup},
    {"events-fd", required_argument, nullptr, kEventsFd},
    {"control-fd", required_argument, nullptr, kControlFd},
};

// False when the argument can't be that flag's.
bool ReadSupervisionFlag(int flag, const char* argument, SupervisionOptions* supervision);

}  // namespace posix_daemon
