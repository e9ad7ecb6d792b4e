// The binding of live fork.
#include "fork.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "../arguments.h"
#include "../atfork_handlers.h"
#include "../bindings.h"
#include "../errors.h"
#include "../exec/plan.h"

namespace posix_daemon {

// Of the last fork that this process came from.
static bool watches_lost = false;

// Why fork() can't work in this process; empty where it can. Looked up each time: a change of user, or of the root, may
// close /proc to it.
static std::string Obstacle() {
  if (syscall(SYS_gettid) != getpid()) return "not called in the process's main thread";
  const char* what = nullptr;
  const int error = CheckSupport(&what);
  return error == 0 ? std::string() : std::string(what) + ": " + strerror(error);
}

static Napi::Value ForkObstacle(const Napi::CallbackInfo& info) {
  const std::string obstacle = Obstacle();
  if (obstacle.empty()) return info.Env().Undefined();
  return Napi::String::New(info.Env(), obstacle);
}

static Napi::Value ForkAs(const Napi::CallbackInfo& info, const Lineage& lineage, Forked* forked) {
  const std::string obstacle = Obstacle();
  if (!obstacle.empty()) return ThrowErrno(info.Env(), ENOTSUP, "fork", {nullptr, nullptr, obstacle.c_str()});
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return ThrowErrno(info.Env(), ENOTSUP, "fork");
  const AtforkHandlers handlers;
  const ForkFailure failure = LiveFork(loop, lineage, forked);
  if (failure.error == 0 && forked->pid == 0) {
    handlers.InChild();
  } else {
    handlers.InParent();
  }
  if (failure.error != 0) return ThrowErrno(info.Env(), failure.error, "fork", {nullptr, nullptr, failure.step});
  watches_lost = forked->watches_lost;
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

// forkKept(keeper, keeperFd, title, flags, fd, standbyTitle or undefined): [pid, the keeper's pid], or [0, what it was
// given] in the worker.
static Napi::Value ForkKept(const Napi::CallbackInfo& info) {
  std::string keeper;
  std::string title;
  std::vector<std::string> flags;
  int32_t keeper_fd;
  int32_t fd;
  if (!ReadString(info, 0, &keeper) || !ReadInt(info, 1, &keeper_fd) || !ReadString(info, 2, &title) ||
      !ReadStrings(info[3], &flags) || !ReadInt(info, 4, &fd)) {
    return info.Env().Undefined();
  }
  if (flags.size() > kMaxKeeperFlags) return ThrowType(info.Env(), "at most 8 flags are expected");
  std::string standby_title;
  const bool standby = !info[5].IsUndefined();
  if (standby && !ReadString(info, 5, &standby_title)) return info.Env().Undefined();
  std::vector<const char*> argv;
  argv.reserve(flags.size() + 1);
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  argv.push_back(nullptr);
  Forked forked = {-1, -1};
  const Lineage lineage = {
      Lineage::kKept, keeper.c_str(), keeper_fd, title.c_str(), argv.data(), fd, standby ? &standby_title : nullptr};
  ForkAs(info, lineage, &forked);
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), forked.pid));
  result.Set(1u, Napi::Number::New(info.Env(), forked.pid == 0 ? forked.given : forked.between));
  return result;
}

static Napi::Value GiveStandbyNumber(const Napi::CallbackInfo& info) {
  int32_t number;
  if (ReadInt(info, 0, &number)) GiveStandby(number);
  return info.Env().Undefined();
}

static Napi::Value WatchesLost(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), watches_lost); }

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
  exports.Set("giveStandby", Napi::Function::New<GiveStandbyNumber>(env, "giveStandby"));
  exports.Set("watchesLost", Napi::Function::New<WatchesLost>(env, "watchesLost"));
  exports.Set("getrandom", Napi::Function::New<Getrandom>(env, "getrandom"));
  exports.Set("getpid", Napi::Function::New<Getpid>(env, "getpid"));
  exports.Set("forkObstacle", Napi::Function::New<ForkObstacle>(env, "forkObstacle"));
}

}  // namespace posix_daemon
