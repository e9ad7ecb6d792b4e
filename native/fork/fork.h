// fork() of the whole process, every thread included.
#pragma once

#include <napi.h>
#include <sys/types.h>
#include <uv.h>

namespace posix_daemon {

// Where a fork failed, for the error's `step`.
struct ForkFailure {
  int error;
  const char* step;
};

// Returns twice: with *pid the child's in the parent, 0 in the child. A failure leaves the process as it was, and no
// child. Main thread only. `loop` is its event loop.
ForkFailure LiveFork(uv_loop_t* loop, bool detach, pid_t* pid);

// The errno of the first call that a fork depends on and this kernel lacks, with its name in *what; 0 when all is
// there.
int CheckSupport(const char** what);

void RegisterMathRandom(Napi::Env env, Napi::Object exports);

}  // namespace posix_daemon
