#include "log_mode.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>

#include "logs.h"
#include "report.h"
#include "signals.h"

namespace posix_daemon {

namespace {

// All but SIGHUP are only taken: a shutdown signals every process, and what the daemon says last is still to come. The
// end of its pipes is ours.
constexpr int kSignals[] = {SIGHUP, SIGTERM, SIGINT, SIGQUIT};

bool TookHangup(int signal_fd) {
  bool hangup = false;
  for (signalfd_siginfo info; read(signal_fd, &info, sizeof info) == sizeof info;) hangup |= info.ssi_signo == SIGHUP;
  return hangup;
}

}  // namespace

int RunLogMode(const Options& options) {
  Report report(options.report_fd);
  const auto fail = [&report](int error, const char* step, const char* path) {
    report.Failed(error, step, path);
    return 1;
  };
  const int signal_fd = WatchSignals(kSignals, std::size(kSignals));
  if (signal_fd == -1) return fail(errno, "signalfd", "");
  Logs logs(options.log);
  const char* path = "";
  if (const int error = logs.Open(&path); error != 0) return fail(error, "open", path);
  for (int stream = 0; stream < 2; stream++) {
    if (options.stream_fds[stream] != -1) logs.Connect(stream, options.stream_fds[stream]);
  }
  report.Ready(getpid());

  while (logs.active()) {
    pollfd polled[1 + Logs::kPolled] = {{signal_fd, POLLIN, 0}};
    logs.Prepare(polled + 1);
    if (!logs.Wait(polled, std::size(polled), Logs::kForEver)) continue;
    logs.Handle(polled + 1);
    if (polled[0].revents != 0 && TookHangup(signal_fd)) logs.Reopen();
  }
  logs.Finish();
  return 0;
}

}  // namespace posix_daemon
