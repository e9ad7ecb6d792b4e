// A process held by a pidfd: whatever becomes of its pid, this is that process and no other.
#pragma once

#include <napi.h>
#include <sys/types.h>

namespace posix_daemon {

struct ExitWatch;

class PidFd : public Napi::ObjectWrap<PidFd> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit PidFd(const Napi::CallbackInfo& info);
  ~PidFd() override;

 private:
  friend struct ExitWatch;

  Napi::Value Alive(const Napi::CallbackInfo& info);
  Napi::Value Descriptor(const Napi::CallbackInfo& info);
  Napi::Value Signal(const Napi::CallbackInfo& info);
  Napi::Value Watch(const Napi::CallbackInfo& info);
  Napi::Value KeepAlive(const Napi::CallbackInfo& info);
  Napi::Value Reopen(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  Napi::Value CollectStatus(Napi::Env env);
  bool StatusIsOurs(Napi::Env env) const;
  void ApplyKeepAlive();
  void EndWatch();

  pid_t pid_ = 0;
  int fd_ = -1;
  bool keep_alive_ = true;
  ExitWatch* watch_ = nullptr;
};

}  // namespace posix_daemon
