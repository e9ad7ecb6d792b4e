// The one throw path: a failed system call becomes a JavaScript Error shaped as Node's own.
#pragma once

#include <napi.h>

#include <string>

namespace posix_daemon {

// What belongs to a failure beside its errno.
struct ErrorDetail {
  const char* path = nullptr;
  const char* dest = nullptr;
  // Which step of a compound call failed ("chdir" inside forkExec), where that differs from `syscall`.
  const char* step = nullptr;
};

// Throws `EPERM: operation not permitted, setsid` with code, errno (negative, as libuv's), syscall, and path, dest and
// step where there are any. `error` is a positive errno, saved by the caller before anything else ran. Returns
// undefined, so that a binding can end in `return ThrowErrno(…)`.
Napi::Value ThrowErrno(Napi::Env env, int error, const char* syscall, const ErrorDetail& detail = {});

// Throws a TypeError with ERR_INVALID_ARG_TYPE: the binding's own last line of defence. TypeScript validates first and
// says it better; this keeps a direct caller of the raw binding from crashing the process.
Napi::Value ThrowType(Napi::Env env, const char* message);

}  // namespace posix_daemon
