#include "options.h"

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

#include "read_number.h"
#include "supervision_flags.h"

namespace posix_daemon {

namespace {

enum Flag : int {
  kStdout = kFirstFlagOfTheRest,
  kStderr,
  kLogMode,
  kMaxBytes,
  kBackups,
  kTimestamps,
  kLogOwner,
  kStdoutFd,
  kStderrFd,
  kReportFd,
  kName,
  kPidFile,
  kLockFd,
  kStatusFile,
  kUpMs,
  kUid,
  kGid,
  kGroups,
  kChroot,
  kChdir,
  kUmask,
  kNice,
  kRlimit,
  kStdin,
  kStopSignal,
  kForeground,
};

constexpr option kFlags[] = {
    {"stdout", required_argument, nullptr, kStdout},
    {"stderr", required_argument, nullptr, kStderr},
    {"log-mode", required_argument, nullptr, kLogMode},
    {"max-bytes", required_argument, nullptr, kMaxBytes},
    {"backups", required_argument, nullptr, kBackups},
    {"timestamps", no_argument, nullptr, kTimestamps},
    {"log-owner", required_argument, nullptr, kLogOwner},
    {"stdout-fd", required_argument, nullptr, kStdoutFd},
    {"stderr-fd", required_argument, nullptr, kStderrFd},
    {"report-fd", required_argument, nullptr, kReportFd},
    {"name", required_argument, nullptr, kName},
    {"pid-file", required_argument, nullptr, kPidFile},
    {"lock-fd", required_argument, nullptr, kLockFd},
    {"status-file", required_argument, nullptr, kStatusFile},
    {"up-ms", required_argument, nullptr, kUpMs},
    {"uid", required_argument, nullptr, kUid},
    {"gid", required_argument, nullptr, kGid},
    {"groups", required_argument, nullptr, kGroups},
    {"chroot", required_argument, nullptr, kChroot},
    {"chdir", required_argument, nullptr, kChdir},
    {"umask", required_argument, nullptr, kUmask},
    {"nice", required_argument, nullptr, kNice},
    {"rlimit", required_argument, nullptr, kRlimit},
    {"stdin", required_argument, nullptr, kStdin},
    {"stop-signal", required_argument, nullptr, kStopSignal},
    {"foreground", no_argument, nullptr, kForeground},
    {nullptr, 0, nullptr, 0},
};

bool ReadOwner(const char* argument, LogOptions* log) {
  std::string_view text = argument;
  return TakeNumber(&text, &log->owner) && TakeSeparator(&text, ':') && TakeNumber(&text, &log->group) && text.empty();
}

bool ReadGroups(std::string_view text, ProgramOptions* program) {
  program->group_count = 0;
  program->groups = static_cast<gid_t*>(calloc(text.size() / 2 + 1, sizeof(gid_t)));
  if (program->groups == nullptr) return false;
  while (!text.empty()) {
    if (!TakeNumber(&text, &program->groups[program->group_count++])) return false;
    if (!text.empty() && (!TakeSeparator(&text, ',') || text.empty())) return false;
  }
  return true;
}

bool ReadLimit(const char* argument, ProgramOptions* program) {
  std::string_view text = argument;
  if (program->limit_count == RLIM_NLIMITS) return false;
  auto& [resource, limit] = program->limits[program->limit_count++];
  return TakeNumber(&text, &resource) && TakeSeparator(&text, '=') && TakeNumber(&text, &limit.rlim_cur) &&
         TakeSeparator(&text, ':') && TakeNumber(&text, &limit.rlim_max) && text.empty();
}

bool ReadSignal(const char* argument, int* signal) {
  return ReadNumber(argument, signal) && *signal > 0 && *signal < NSIG;
}

bool ReadString(const char* argument, const char** string) {
  *string = argument;
  return true;
}

bool ReadFlag(int flag, const char* argument, Options* options) {
  LogOptions& log = options->log;
  ProgramOptions& program = options->program;
  switch (flag) {
    case kStdout:
      return ReadString(argument, &log.paths[0]);
    case kStderr:
      return ReadString(argument, &log.paths[1]);
    case kLogMode:
      return ReadNumber(argument, &log.mode, 8);
    case kMaxBytes:
      return ReadNumber(argument, &log.max_bytes);
    case kBackups:
      return ReadNumber(argument, &log.backups);
    case kTimestamps:
      return log.timestamps = true;
    case kLogOwner:
      return ReadOwner(argument, &log);
    case kStdoutFd:
      return ReadNumber(argument, &options->stream_fds[0]);
    case kStderrFd:
      return ReadNumber(argument, &options->stream_fds[1]);
    case kReportFd:
      return ReadNumber(argument, &options->report_fd);
    case kName:
      return ReadString(argument, &options->name);
    case kPidFile:
      return ReadString(argument, &options->pid_file);
    case kLockFd:
      return ReadNumber(argument, &options->lock_fd);
    case kStatusFile:
      return ReadString(argument, &options->status_file);
    case kUpMs:
      return ReadNumber(argument, &options->up_ms);
    case kUid:
      return ReadNumber(argument, &program.uid);
    case kGid:
      return ReadNumber(argument, &program.gid);
    case kGroups:
      return ReadGroups(argument, &program);
    case kChroot:
      return ReadString(argument, &program.root);
    case kChdir:
      return ReadString(argument, &program.directory);
    case kUmask:
      return ReadNumber(argument, &program.umask, 8);
    case kNice:
      return ReadNumber(argument, &program.nice);
    case kRlimit:
      return ReadLimit(argument, &program);
    case kStdin:
      return ReadString(argument, &program.input);
    case kStopSignal:
      return ReadSignal(argument, &options->stop_signal);
    case kForeground:
      return options->foreground = true;
    default:
      return ReadSupervisionFlag(flag, argument, &options->supervision);
  }
}

bool Refuse(const char* reason) {
  dprintf(STDERR_FILENO, "posix-daemon-keeper: %s\n", reason);
  return false;
}

bool ReadProgram(int count, char** rest, Options* options) {
  if (count < 2) return Refuse("run takes flags, --, the program's path and its arguments from argv[0] on");
  options->program.file = rest[0];
  options->program.argv = rest + 1;
  if (*rest[0] != '/') return Refuse("the program's path has to be absolute");
  return (options->pid_file != nullptr) == (options->lock_fd != -1) || Refuse("--pid-file and --lock-fd go together");
}

bool CheckStreams(const Options& options) {
  for (int i = 0; i < 2; i++) {
    if ((options.log.paths[i] != nullptr) != (options.stream_fds[i] != -1)) {
      return Refuse("--stdout and --stdout-fd go together, and so do --stderr and --stderr-fd");
    }
  }
  return true;
}

bool CheckDescriptors(const Options& options) {
  for (const int fd : {options.lock_fd, options.report_fd, options.stream_fds[0], options.stream_fds[1],
                       options.supervision.events_fd, options.supervision.control_fd}) {
    if (fd != -1 && (fd <= STDERR_FILENO || fcntl(fd, F_GETFD) == -1)) {
      dprintf(STDERR_FILENO, "posix-daemon-keeper: an open descriptor from 3 on is expected, not %d\n", fd);
      return false;
    }
  }
  return true;
}

}  // namespace

bool ReadOptions(int argc, char** argv, Options* options) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  options->runs_program = mode == "run";
  if (!options->runs_program && mode != "log") return Refuse("run or log is expected");

  // getopt_long takes one table.
  option flags[std::size(kSupervisionFlags) + std::size(kFlags)];
  std::copy(std::begin(kFlags), std::end(kFlags),
            std::copy(std::begin(kSupervisionFlags), std::end(kSupervisionFlags), flags));
  int index = 0;
  // The mode stands in the place of argv[0]; "+" ends the flags at the first word that is none.
  for (int flag; (flag = getopt_long(argc - 1, argv + 1, "+", flags, &index)) != -1;) {
    if (flag == '?') return false;
    if (!ReadFlag(flag, optarg, options)) {
      dprintf(STDERR_FILENO, "posix-daemon-keeper: --%s can't be '%s'\n", flags[index].name, optarg);
      return false;
    }
  }
  // What nobody watches shares the terminal with its keeper, as one job of the shell.
  options->program.leads_group = !options->foreground || options->supervision.wanted;
  const int count = argc - 1 - optind;
  const bool complete = options->runs_program
                            ? ReadProgram(count, argv + 1 + optind, options)
                            : (count == 0 || Refuse("log takes flags only")) && CheckStreams(*options);
  return complete && CheckDescriptors(*options);
}

}  // namespace posix_daemon
