// fork() of the whole process, every thread included.
#pragma once

#include <napi.h>
#include <sys/types.h>
#include <uv.h>

#include <string>

namespace posix_daemon {

// Where a fork failed, for the error's `step`.
struct ForkFailure {
  int error;
  const char* step;
};

// What the forked process is to its parent.
struct Lineage {
  enum Kind {
    kChild,
    kDetached,  // a grandchild, in a session that it doesn't lead; its parent has exited. The caller is a subreaper
    kKept,  // a grandchild; its parent is the keeper, which ends as it does, kills all that descends from it, and both
            // when the caller dies
  };
  Kind kind = kChild;
  // Of the keeper: its executable, the same as a descriptor (O_PATH), what ps shows, and what else it is told, up to
  // nullptr.
  const char* keeper = nullptr;
  int keeper_fd = -1;
  const char* title = nullptr;
  const char* const* flags = nullptr;
  // Stays open in it, besides the standard ones.
  int kept_fd = -1;
  // Where there is one, the forked process waits for GiveStandby before it returns, and ps shows this until then.
  const std::string* standby_title = nullptr;
};

constexpr int kMaxKeeperFlags = 8;

struct Forked {
  pid_t pid;                  // 0 in the forked process
  pid_t between;              // its parent, 0 if that is the caller; of a detached one it is reaped already
  int given = 0;              // in a forked process that stood by: what it was given
  bool watches_lost = false;  // in a forked process: something that was watched in the file system isn't any more
};

// Returns twice. A failure leaves the process as it was, and no child. Main thread only. `loop` is its event loop.
ForkFailure LiveFork(uv_loop_t* loop, const Lineage& lineage, Forked* forked);

// Gives the last process that was forked to stand by a number, not 0, to be told of by SIGCONT.
void GiveStandby(int number);

// The errno of the first call that a fork depends on and this kernel lacks, with its name in *what; 0 when all is
// there.
int CheckSupport(const char** what);

// Whether /proc is there, and not another PID namespace's, whose tids are not those that signals go to.
bool ProcShowsSelf();

void RegisterMathRandom(Napi::Env env, Napi::Object exports);

}  // namespace posix_daemon
