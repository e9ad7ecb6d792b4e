// How a process ended, or stopped, as JavaScript sees it.
#pragma once

#include <napi.h>
#include <sys/resource.h>
#include <sys/types.h>

namespace posix_daemon {

// `code` and `status` as in siginfo_t: CLD_EXITED with an exit code, or CLD_KILLED, CLD_DUMPED, CLD_STOPPED with a
// signal's number. Signals stay numbers here; TypeScript has their names.
Napi::Object MakeWaitStatus(Napi::Env env, pid_t pid, int code, int status, const rusage& usage);

}  // namespace posix_daemon
