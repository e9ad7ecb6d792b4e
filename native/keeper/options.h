// What the command line of posix-daemon-keeper asks for. All strings lie in the copy of the arguments that main()
// keeps.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>

#include "port.h"
#include "restart_policy.h"

namespace posix_daemon {

constexpr const char* kNullDevice = "/dev/null";

struct LogOptions {
  // Of standard output and standard error; null where it isn't logged. Equal paths mean one file.
  const char* paths[2] = {nullptr, nullptr};
  mode_t mode = 0640;
  // In bytes; 0: never rotated.
  uint64_t max_bytes = 0;
  unsigned backups = 0;
  bool timestamps = false;
  // Of the files created here; -1 leaves it as it is.
  uid_t owner = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};

struct LimitOption {
  int resource;
  rlimit limit;
};

struct ProgramOptions {
  const char* file = nullptr;
  char** argv = nullptr;
  // Leads a process group, in which the keeper isn't.
  bool leads_group = true;
  const char* input = kNullDevice;
  const char* root = nullptr;
  const char* directory = nullptr;
  std::optional<mode_t> umask;
  std::optional<int> nice;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  // Null unless asked for; none at all is an array as well.
  gid_t* groups = nullptr;
  size_t group_count = 0;
  LimitOption limits[RLIM_NLIMITS];
  size_t limit_count = 0;
};

// What is asked for by those who want their program watched and started again.
struct SupervisionOptions {
  bool wanted = false;
  // 0: one, that isn't told its number.
  int workers = 0;
  RestartPolicy policy;
  bool kills_descendants = false;
  // 0: what was asked to end may take for ever.
  uint64_t stop_timeout_ms = 0;
  enum class Ready { kExec, kNotify, kPort } ready = Ready::kExec;
  PortAddress ready_port;
  // 0: none.
  uint64_t ready_timeout_ms = 0;
  uint64_t heartbeat_ms = 0;
  uint64_t max_rss = 0;
  // Whose death ends all, and how long that may take; -1: nobody's.
  pid_t parent = -1;
  uint64_t parent_grace_ms = 0;
  const char* cgroup = nullptr;
  int events_fd = -1;
  int control_fd = -1;
};

struct Options {
  // Of the mode `run`; else `log`.
  bool runs_program = false;
  bool foreground = false;
  const char* name = nullptr;
  const char* pid_file = nullptr;
  int lock_fd = -1;
  const char* status_file = nullptr;
  int report_fd = -1;
  // Of the mode `log`: the pipes to read.
  int stream_fds[2] = {-1, -1};
  uint64_t up_ms = 0;
  int stop_signal = SIGTERM;
  LogOptions log;
  ProgramOptions program;
  SupervisionOptions supervision;
};

// Reads the arguments; false when they are wrong, with the reason on standard error.
bool ReadOptions(int argc, char** argv, Options* options);

}  // namespace posix_daemon
