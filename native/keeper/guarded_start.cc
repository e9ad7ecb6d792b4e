#include "guarded_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdlib>

#include "exec/inheritance.h"
#include "guard.h"
#include "program.h"
#include "text.h"
#include "title.h"

namespace posix_daemon {

namespace {

GuardOptions GuardOptionsOf(const Options& options, pid_t supervisor) {
  const SupervisionOptions& supervision = options.supervision;
  GuardOptions guard;
  guard.watchdog = supervisor;
  guard.kills_descendants = supervision.kills_descendants;
  if (supervision.parent_grace_ms > 0) {
    guard.terminate_signal = options.stop_signal;
    guard.grace_ms = supervision.parent_grace_ms;
  }
  guard.cgroup = supervision.cgroup;
  return guard;
}

void SetEnvironment(const SupervisionOptions& supervision, const GuardedStart& start) {
  if (supervision.workers > 0) setenv("WORKER_INDEX", Text<16>("%d", start.worker).c_str(), 1);
  if (*start.notify_address != '\0') setenv("NOTIFY_SOCKET", start.notify_address, 1);
  if (supervision.heartbeat_ms == 0) return;
  setenv("WATCHDOG_USEC", Text<32>("%" PRIu64, supervision.heartbeat_ms * 1000).c_str(), 1);
  // Whoever started us may be watched himself, and by another measure.
  unsetenv("WATCHDOG_PID");
}

// Only these stay open: the lock above all must not outlive the supervisor.
bool CloseAllBut(const int (&streams)[2], int message_fd) {
  int kept[3];
  size_t count = 0;
  for (const int fd : {streams[0], streams[1], message_fd}) {
    if (fd == -1) continue;
    size_t place = count++;
    for (; place > 0 && kept[place - 1] > fd; place--) kept[place] = kept[place - 1];
    kept[place] = fd;
  }
  return CloseExcept(kept, count);
}

int Run(const Options& options, const GuardedStart& start, int message_fd, pid_t supervisor) {
  const auto fail = [message_fd](Step step, int error) {
    const GuardMessage message = {GuardMessage::kFailed, static_cast<int>(step), error};
    return write(message_fd, &message, sizeof message) == -1 ? 126 : 125;
  };
  if (!CloseAllBut(start.streams, message_fd)) return fail(Step::kCloseRange, errno);
  ShowTitle(options.name, Text<32>(" (keeper %d)", start.worker).c_str());
  Guard guard(GuardOptionsOf(options, supervisor));
  if (const int error = guard.Prepare(); error != 0) return fail(Step::kPrctl, error);
  // From here on a supervisor that dies is noticed; one that has died before starts nothing any more.
  if (getppid() != supervisor) return 125;
  // A session without a terminal, that the program doesn't lead: nothing that one program does to its process group or
  // to the terminal reaches another one, or stops it.
  if (setsid() == -1) return fail(Step::kSetsid, errno);
  SetEnvironment(options.supervision, start);
  int failure_fd;
  const int cgroup_fd = guard.MakeCgroup();
  const pid_t program = StartProgram(options.program, start.streams, cgroup_fd, &failure_fd);
  if (program == -1) return fail(Step::kClone, errno);
  for (const int fd : {start.streams[0], start.streams[1], cgroup_fd}) {
    if (fd != -1) close(fd);
  }
  guard.Take(program, failure_fd, message_fd);
  return guard.Run();
}

}  // namespace

pid_t StartGuarded(const Options& options, const GuardedStart& start, int* message_fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) return -1;
  const pid_t supervisor = getpid();
  const pid_t guard = fork();
  if (guard == 0) _exit(Run(options, start, ends[1], supervisor));
  const int error = errno;
  close(ends[1]);
  if (guard == -1) {
    close(ends[0]);
    errno = error;
    return -1;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *message_fd = ends[0];
  return guard;
}

}  // namespace posix_daemon
