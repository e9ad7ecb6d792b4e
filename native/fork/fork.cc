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

static Napi::Value ForkAs(const Napi::CallbackInfo& info, const Lineage& lineage, Forked* forked) {
  const std::string& obstacle = Obstacle();
  if (!obstacle.empty()) return ThrowErrno(info.Env(), ENOTSUP, "fork", {nullptr, nullptr, obstacle.c_str()});
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return ThrowErrno(info.Env(), ENOTSUP, "fork");
  const ForkFailure failure = LiveFork(loop, lineage, forked);
  if (failure.error != 0) return ThrowErrno(info.Env(), failure.error, "fork", {nullptr, nullptr, failure.step});
  return Napi::Number::New(info.Env(), forked->pid);
}

static Napi::Value Fork(const Napi::CallbackInfo& info) {
  Forked forked;
  return ForkAs(info, {}, &forked);
}

static Napi::Value ForkDetached(const Napi::CallbackInfo& info) {
  Forked forked;
  return ForkAs(info, {Lineage::kDetached}, &forked);
}

// forkKept(keeper, title): [pid, the keeper's pid], or [0, 0] in the worker.
static Napi::Value ForkKept(const Napi::CallbackInfo& info) {
  std::string keeper;
  std::string title;
  if (!ReadString(info, 0, &keeper) || !ReadString(info, 1, &title)) return info.Env().Undefined();
  Forked forked = {-1, -1};
  ForkAs(info, {Lineage::kKept, keeper.c_str(), title.c_str()}, &forked);
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), forked.pid));
  result.Set(1u, Napi::Number::New(info.Env(), forked.between));
  return result;
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
  exports.Set("forkDetached", Napi::Function::New<ForkDetached>(env, "forkDetached"));
  exports.Set("forkKept", Napi::Function::New<ForkKept>(env, "forkKept"));
  exports.Set("getrandom", Napi::Function::New<Getrandom>(env, "getrandom"));
  exports.Set("getpid", Napi::Function::New<Getpid>(env, "getpid"));
  exports.Set("forkObstacle", Napi::Function::New<ForkObstacle>(env, "forkObstacle"));
}

}  // namespace posix_daemon
