// Waiting for children by pid, and leaving at once.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"
#include "pidfd.h"
#include "wait_status.h"

namespace posix_daemon {

static double ToMs(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

static Napi::Object MakeUsage(Napi::Env env, const rusage& usage) {
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&](const char* name, double value) { object.Set(name, Napi::Number::New(env, value)); };
  set("userMs", ToMs(usage.ru_utime));
  set("systemMs", ToMs(usage.ru_stime));
  set("maxRss", static_cast<double>(usage.ru_maxrss) * 1024);
  set("minorPageFault", static_cast<double>(usage.ru_minflt));
  set("majorPageFault", static_cast<double>(usage.ru_majflt));
  set("fsRead", static_cast<double>(usage.ru_inblock));
  set("fsWrite", static_cast<double>(usage.ru_oublock));
  set("voluntaryContextSwitches", static_cast<double>(usage.ru_nvcsw));
  set("involuntaryContextSwitches", static_cast<double>(usage.ru_nivcsw));
  return object;
}

Napi::Object MakeWaitStatus(Napi::Env env, pid_t pid, int code, int status, const rusage& usage) {
  const auto number_if = [&](bool condition) -> Napi::Value {
    if (!condition) return env.Null();
    return Napi::Number::New(env, status);
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, pid));
  object.Set("exitCode", number_if(code == CLD_EXITED));
  object.Set("signal", number_if(code == CLD_KILLED || code == CLD_DUMPED));
  object.Set("coreDumped", Napi::Boolean::New(env, code == CLD_DUMPED));
  object.Set("stopped", number_if(code == CLD_STOPPED));
  object.Set("rusage", MakeUsage(env, usage));
  return object;
}

// (pid, noHang, untraced)
static Napi::Value Waitpid(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int32_t pid;
  if (!ReadInt(info, 0, &pid)) return env.Undefined();
  const int options = (info[1].ToBoolean() ? WNOHANG : 0) | (info[2].ToBoolean() ? WUNTRACED : 0);

  int status;
  rusage usage;
  pid_t reported;
  do {
    reported = wait4(pid, &status, options, &usage);
  } while (reported == -1 && errno == EINTR);
  if (reported == -1) return ThrowErrno(env, errno, "wait4");
  if (reported == 0) return env.Null();

  if (WIFEXITED(status)) return MakeWaitStatus(env, reported, CLD_EXITED, WEXITSTATUS(status), usage);
  if (WIFSTOPPED(status)) return MakeWaitStatus(env, reported, CLD_STOPPED, WSTOPSIG(status), usage);
  return MakeWaitStatus(env, reported, WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED, WTERMSIG(status), usage);
}

static Napi::Value Exit(const Napi::CallbackInfo& info) {
  int32_t status;
  if (!ReadInt(info, 0, &status)) return info.Env().Undefined();
  _exit(status);
}

void RegisterWait(Napi::Env env, Napi::Object exports) {
  exports.Set("waitpid", Napi::Function::New<Waitpid>(env, "waitpid"));
  exports.Set("exit", Napi::Function::New<Exit>(env, "exit"));
  exports.Set("PidFd", PidFd::Define(env));
}

}  // namespace posix_daemon
