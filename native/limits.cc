// Resource limits. JavaScript's Infinity is RLIM_INFINITY; everything else that TypeScript lets through is exact.
#include <sys/resource.h>

#include <cerrno>
#include <cmath>
#include <limits>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

static_assert(sizeof(rlim_t) == 8, "limits are 64 bits wide");

static double FromLimit(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit);
}

static bool ReadLimit(const Napi::CallbackInfo& info, size_t index, rlim_t* limit) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : NAN;
  // Written so that NaN fails it too: the conversion of what doesn't fit is undefined.
  const bool fits = value >= 0 && value < 0x1p63;
  if (!fits && value != std::numeric_limits<double>::infinity()) {
    ThrowType(info.Env(), "a limit is expected");
    return false;
  }
  *limit = fits ? static_cast<rlim_t>(value) : RLIM_INFINITY;
  return true;
}

static Napi::Value Getrlimit(const Napi::CallbackInfo& info) {
  int32_t resource;
  if (!ReadInt(info, 0, &resource)) return info.Env().Undefined();
  rlimit limit;
  if (getrlimit(resource, &limit) == -1) return ThrowErrno(info.Env(), errno, "getrlimit");
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("soft", Napi::Number::New(info.Env(), FromLimit(limit.rlim_cur)));
  result.Set("hard", Napi::Number::New(info.Env(), FromLimit(limit.rlim_max)));
  return result;
}

static Napi::Value Setrlimit(const Napi::CallbackInfo& info) {
  int32_t resource;
  rlimit limit;
  if (!ReadInt(info, 0, &resource)) return info.Env().Undefined();
  if (!ReadLimit(info, 1, &limit.rlim_cur) || !ReadLimit(info, 2, &limit.rlim_max)) return info.Env().Undefined();
  if (setrlimit(resource, &limit) == -1) return ThrowErrno(info.Env(), errno, "setrlimit");
  return info.Env().Undefined();
}

void RegisterLimits(Napi::Env env, Napi::Object exports) {
  exports.Set("getrlimit", Napi::Function::New<Getrlimit>(env, "getrlimit"));
  exports.Set("setrlimit", Napi::Function::New<Setrlimit>(env, "setrlimit"));
}

}  // namespace posix_daemon
