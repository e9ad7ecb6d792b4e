// Sessions, process groups, and what a process inherits of the file system: umask, working directory, root.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

static Napi::Value Setsid(const Napi::CallbackInfo& info) {
  const pid_t session = setsid();
  if (session == -1) return ThrowErrno(info.Env(), errno, "setsid");
  return Napi::Number::New(info.Env(), session);
}

static Napi::Value Getsid(const Napi::CallbackInfo& info) {
  int32_t pid;
  if (!ReadInt(info, 0, &pid)) return info.Env().Undefined();
  const pid_t session = getsid(pid);
  if (session == -1) return ThrowErrno(info.Env(), errno, "getsid");
  return Napi::Number::New(info.Env(), session);
}

static Napi::Value Setpgid(const Napi::CallbackInfo& info) {
  int32_t pid;
  int32_t group;
  if (!ReadInt(info, 0, &pid) || !ReadInt(info, 1, &group)) return info.Env().Undefined();
  if (setpgid(pid, group) == -1) return ThrowErrno(info.Env(), errno, "setpgid");
  return info.Env().Undefined();
}

static Napi::Value Getpgid(const Napi::CallbackInfo& info) {
  int32_t pid;
  if (!ReadInt(info, 0, &pid)) return info.Env().Undefined();
  const pid_t group = getpgid(pid);
  if (group == -1) return ThrowErrno(info.Env(), errno, "getpgid");
  return Napi::Number::New(info.Env(), group);
}

static Napi::Value Umask(const Napi::CallbackInfo& info) {
  uint32_t mask;
  if (!ReadUint(info, 0, &mask)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), umask(mask));
}

static Napi::Value Chdir(const Napi::CallbackInfo& info) {
  std::string path;
  if (!ReadString(info, 0, &path)) return info.Env().Undefined();
  if (chdir(path.c_str()) == -1) return ThrowErrno(info.Env(), errno, "chdir", {path.c_str()});
  return info.Env().Undefined();
}

static Napi::Value Chroot(const Napi::CallbackInfo& info) {
  std::string path;
  if (!ReadString(info, 0, &path)) return info.Env().Undefined();
  if (chroot(path.c_str()) == -1) return ThrowErrno(info.Env(), errno, "chroot", {path.c_str()});
  return info.Env().Undefined();
}

void RegisterSession(Napi::Env env, Napi::Object exports) {
  exports.Set("setsid", Napi::Function::New<Setsid>(env, "setsid"));
  exports.Set("getsid", Napi::Function::New<Getsid>(env, "getsid"));
  exports.Set("setpgid", Napi::Function::New<Setpgid>(env, "setpgid"));
  exports.Set("getpgid", Napi::Function::New<Getpgid>(env, "getpgid"));
  exports.Set("umask", Napi::Function::New<Umask>(env, "umask"));
  exports.Set("chdir", Napi::Function::New<Chdir>(env, "chdir"));
  exports.Set("chroot", Napi::Function::New<Chroot>(env, "chroot"));
}

}  // namespace posix_daemon
