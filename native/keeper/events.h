// The lines in which a supervisor tells whoever started it what happens to its programs. docs/keeper.md has them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "program.h"

namespace posix_daemon {

// Why a program was ended.
enum class Reason { kNone, kHeartbeat, kReady, kRss, kStop, kRestart };

class Events {
 public:
  // -1: nobody listens.
  explicit Events(int fd);

  void Spawned(int worker, pid_t pid) const;
  void Ready(int worker, pid_t pid) const;
  // `next`: of Decide().
  void Exited(int worker, pid_t pid, int wait_status, int left, Reason reason, int64_t next) const;
  void Failed(int worker, const LaunchFailure& failure, const char* path, int64_t next) const;
  void Stopped(int wait_status) const;

 private:
  void Say(const char* line, size_t length) const;

  const int fd_;
};

}  // namespace posix_daemon
