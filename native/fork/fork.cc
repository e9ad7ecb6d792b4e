// The binding of live fork.
#include "fork.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "../arguments.h"
#include "../bindings.h"
#include "../errors.h"

namespace posix_daemon {

// Why fork() can't work in this process; empty where it can. Looked up once: the answer doesn't change.
static const std::string& Obstacle() {
  static const std::string obstacle = [] {
    if (syscall(SYS_gettid) != getpid()) return std::string("not called in the process's main thread");
    const char* what = nullptr;
    const int error = CheckSupport(&what);
    return error == 0 ? std::string() : std::string(what) + ": " + strerror(error);
  }();
  return obstacle;
}

static Napi::Value ForkObstacle(const Napi::CallbackInfo& info) {
  if (Obstacle().empty()) return info.Env().Undefined();
  return Napi::String::New(info.Env(), Obstacle());
}

// fork(detach)
static Napi::Value Fork(const Napi::CallbackInfo& info) {
  bool detach;
  if (!ReadBool(info, 0, &detach)) return info.Env().Undefined();
  const std::string& obstacle = Obstacle();
  if (!obstacle.empty()) return ThrowErrno(info.Env(), ENOTSUP, "fork", {nullptr, nullptr, obstacle.c_str()});
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return ThrowErrno(info.Env(), ENOTSUP, "fork");
  pid_t pid = -1;
  const ForkFailure failure = LiveFork(loop, detach, &pid);
  if (failure.error != 0) return ThrowErrno(info.Env(), failure.error, "fork", {nullptr, nullptr, failure.step});
  return Napi::Number::New(info.Env(), pid);
}

static Napi::Value Getpid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), getpid()); }

static Napi::Value Getrandom(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return ThrowType(info.Env(), "a Uint8Array is expected");
  }
  auto bytes = info[0].As<Napi::Uint8Array>();
  for (size_t filled = 0; filled < bytes.ByteLength();) {
    const ssize_t got = getrandom(bytes.Data() + filled, bytes.ByteLength() - filled, 0);
    if (got == -1 && errno != EINTR) return ThrowErrno(info.Env(), errno, "getrandom");
    if (got > 0) filled += static_cast<size_t>(got);
  }
  return info.Env().Undefined();
}

void RegisterFork(Napi::Env env, Napi::Object exports) {
  RegisterMathRandom(env, exports);
  exports.Set("fork", Napi::Function::New<Fork>(env, "fork"));
  exports.Set("getrandom", Napi::Function::New<Getrandom>(env, "getrandom"));
  exports.Set("getpid", Napi::Function::New<Getpid>(env, "getpid"));
  exports.Set("forkObstacle", Napi::Function::New<ForkObstacle>(env, "forkObstacle"));
}

}  // namespace posix_daemon
