// posix-daemon-keeper: stands between init and a daemon, with no JavaScript in it. docs/keeper.md has its interface.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "exec/inheritance.h"
#include "init_mode.h"
#include "keeper.h"
#include "log_mode.h"
#include "options.h"
#include "supervisor.h"
#include "title.h"
#include "tree_mode.h"

using posix_daemon::CloseOnExecExcept;
using posix_daemon::CopyArguments;
using posix_daemon::Keeper;
using posix_daemon::kNullDevice;
using posix_daemon::Options;
using posix_daemon::ReadOptions;
using posix_daemon::RunInitMode;
using posix_daemon::RunLogMode;
using posix_daemon::RunSupervisor;
using posix_daemon::RunTreeMode;
using posix_daemon::ShowTitle;

// A log or a pipe must not become somebody's standard output by chance.
static bool FillStandardDescriptors() {
  for (;;) {
    const int fd = open(kNullDevice, O_RDWR);
    if (fd == -1) return false;
    if (fd > STDERR_FILENO) return close(fd) == 0;
  }
}

static int Fail(const char* what) {
  dprintf(STDERR_FILENO, "posix-daemon-keeper: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int argc, char** argv) {
  if (!FillStandardDescriptors()) return Fail(kNullDevice);
  if (!CloseOnExecExcept(nullptr, 0)) return Fail("close_range");
  if (argc > 1 && strcmp(argv[1], "tree") == 0) return RunTreeMode(argc, argv);
  if (argc == 3 && strcmp(argv[1], "init") == 0) return RunInitMode(argv[2]);
  char** const arguments = CopyArguments(argc, argv);
  if (arguments == nullptr) return Fail("malloc");
  Options options;
  if (!ReadOptions(argc, arguments, &options)) return 2;
  ShowTitle(options.name, options.runs_program ? "" : " (log)");
  if (!options.runs_program) return RunLogMode(options);
  if (options.supervision.wanted) return RunSupervisor(options);
  Keeper keeper(options);
  return keeper.Run();
}
