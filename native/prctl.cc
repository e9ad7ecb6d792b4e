// What only prctl(2) sets.
#include <sys/prctl.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

// The kernel's TASK_COMM_LEN, the null byte included.
constexpr size_t kThreadNameSize = 16;

// Unused arguments have to be zero for some options, and are read as longs: an int 0 would leave the upper half open.
static int Prctl(int option, unsigned long argument) { return prctl(option, argument, 0UL, 0UL, 0UL); }

// Every option fails as "prctl"; the step tells which one it was.
static Napi::Value ThrowPrctl(Napi::Env env, int error, const char* option) {
  return ThrowErrno(env, error, "prctl", {nullptr, nullptr, option});
}

static Napi::Value SetPdeathsig(const Napi::CallbackInfo& info) {
  int32_t signal;
  if (!ReadInt(info, 0, &signal)) return info.Env().Undefined();
  if (Prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal)) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_SET_PDEATHSIG");
  }
  return info.Env().Undefined();
}

static Napi::Value GetPdeathsig(const Napi::CallbackInfo& info) {
  int signal = 0;
  if (Prctl(PR_GET_PDEATHSIG, reinterpret_cast<unsigned long>(&signal)) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_GET_PDEATHSIG");
  }
  return Napi::Number::New(info.Env(), signal);
}

static Napi::Value SetChildSubreaper(const Napi::CallbackInfo& info) {
  bool on;
  if (!ReadBool(info, 0, &on)) return info.Env().Undefined();
  if (Prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_SET_CHILD_SUBREAPER");
  }
  return info.Env().Undefined();
}

static Napi::Value GetChildSubreaper(const Napi::CallbackInfo& info) {
  int on = 0;
  if (Prctl(PR_GET_CHILD_SUBREAPER, reinterpret_cast<unsigned long>(&on)) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_GET_CHILD_SUBREAPER");
  }
  return Napi::Boolean::New(info.Env(), on != 0);
}

static Napi::Value SetNoNewPrivs(const Napi::CallbackInfo& info) {
  if (Prctl(PR_SET_NO_NEW_PRIVS, 1) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_SET_NO_NEW_PRIVS");
  }
  return info.Env().Undefined();
}

static Napi::Value GetNoNewPrivs(const Napi::CallbackInfo& info) {
  const int on = Prctl(PR_GET_NO_NEW_PRIVS, 0);
  if (on == -1) return ThrowPrctl(info.Env(), errno, "PR_GET_NO_NEW_PRIVS");
  return Napi::Boolean::New(info.Env(), on != 0);
}

static Napi::Value SetDumpable(const Napi::CallbackInfo& info) {
  bool on;
  if (!ReadBool(info, 0, &on)) return info.Env().Undefined();
  if (Prctl(PR_SET_DUMPABLE, on ? 1 : 0) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_SET_DUMPABLE");
  }
  return info.Env().Undefined();
}

static Napi::Value GetDumpable(const Napi::CallbackInfo& info) {
  const int mode = Prctl(PR_GET_DUMPABLE, 0);
  if (mode == -1) return ThrowPrctl(info.Env(), errno, "PR_GET_DUMPABLE");
  // 2, which nobody can set: what fs.suid_dumpable makes of a process that changed its user; for root's eyes only.
  return Napi::Boolean::New(info.Env(), mode == 1);
}

static Napi::Value SetThreadName(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ReadString(info, 0, &name)) return info.Env().Undefined();
  if (Prctl(PR_SET_NAME, reinterpret_cast<unsigned long>(name.c_str())) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_SET_NAME");
  }
  return info.Env().Undefined();
}

static Napi::Value GetThreadName(const Napi::CallbackInfo& info) {
  char name[kThreadNameSize] = "";
  if (Prctl(PR_GET_NAME, reinterpret_cast<unsigned long>(name)) == -1) {
    return ThrowPrctl(info.Env(), errno, "PR_GET_NAME");
  }
  return Napi::String::New(info.Env(), name);
}

void RegisterPrctl(Napi::Env env, Napi::Object exports) {
  exports.Set("setPdeathsig", Napi::Function::New<SetPdeathsig>(env, "setPdeathsig"));
  exports.Set("getPdeathsig", Napi::Function::New<GetPdeathsig>(env, "getPdeathsig"));
  exports.Set("setChildSubreaper", Napi::Function::New<SetChildSubreaper>(env, "setChildSubreaper"));
  exports.Set("getChildSubreaper", Napi::Function::New<GetChildSubreaper>(env, "getChildSubreaper"));
  exports.Set("setNoNewPrivs", Napi::Function::New<SetNoNewPrivs>(env, "setNoNewPrivs"));
  exports.Set("getNoNewPrivs", Napi::Function::New<GetNoNewPrivs>(env, "getNoNewPrivs"));
  exports.Set("setDumpable", Napi::Function::New<SetDumpable>(env, "setDumpable"));
  exports.Set("getDumpable", Napi::Function::New<GetDumpable>(env, "getDumpable"));
  exports.Set("setThreadName", Napi::Function::New<SetThreadName>(env, "setThreadName"));
  exports.Set("getThreadName", Napi::Function::New<GetThreadName>(env, "getThreadName"));
}

}  // namespace posix_daemon
