#include "tree_mode.h"

#include <sys/types.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "guard.h"
#include "proc.h"
#include "read_number.h"
#include "title.h"

namespace posix_daemon {

// The watchdog has checked what it passes on: it wrote it.
int RunTreeMode(int argc, char** arguments) {
  if (argc < 4) return 2;
  // The title comes in the place of the program's name, and is all that ps is to show.
  char** const argv = CopyArguments(argc, arguments);
  if (argv == nullptr) return 125;
  ShowFirstArgument();
  GuardOptions options;
  pid_t worker;
  if (!ReadNumber(argv[2], &worker) || !ReadNumber(argv[3], &options.watchdog)) return 2;
  // It will be killed, and by its number: nothing but a child may be.
  if (worker <= 1 || ParentOf(worker) != getpid()) return 2;
  for (int i = 4; i < argc; i++) {
    const bool has_value = i + 1 < argc;
    if (strcmp(argv[i], "--keep-descendants") == 0) {
      options.kills_descendants = false;
    } else if (has_value && strcmp(argv[i], "--terminate") == 0) {
      unsigned long grace_ms = 0;
      if (sscanf(argv[++i], "%d:%lu", &options.terminate_signal, &grace_ms) != 2) return 2;
      options.grace_ms = grace_ms;
      options.asked_by_sigcont = false;
    } else if (has_value && strcmp(argv[i], "--cgroup") == 0) {
      options.cgroup = argv[++i];
    } else {
      return 2;
    }
  }
  Guard guard(options);
  if (guard.Prepare() != 0) return 125;
  guard.Enclose(worker);
  guard.Take(worker, -1, -1);
  return guard.Run();
}

}  // namespace posix_daemon
