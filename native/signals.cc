// Signals: sending them, the calling thread's mask, the process's dispositions.
#include <signal.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

static Napi::Value Kill(const Napi::CallbackInfo& info) {
  int32_t pid;
  int32_t signal;
  if (!ReadInt(info, 0, &pid) || !ReadInt(info, 1, &signal)) return info.Env().Undefined();
  if (kill(pid, signal) == -1) return ThrowErrno(info.Env(), errno, "kill");
  return info.Env().Undefined();
}

// queueSignal(pid, signal, value)
static Napi::Value QueueSignal(const Napi::CallbackInfo& info) {
  int32_t pid;
  int32_t signal;
  sigval value = {};
  if (!ReadInt(info, 0, &pid) || !ReadInt(info, 1, &signal) || !ReadInt(info, 2, &value.sival_int)) {
    return info.Env().Undefined();
  }
  if (sigqueue(pid, signal, value) == -1) return ThrowErrno(info.Env(), errno, "sigqueue");
  return info.Env().Undefined();
}

// stopAsTerminalDoes(): what SIGTSTP does by default, whatever it does here. The kernel leaves that out for a process
// group that nobody in its session could continue.
static Napi::Value StopAsTerminalDoes(const Napi::CallbackInfo& info) {
  struct sigaction action = {};
  struct sigaction before;
  action.sa_handler = SIG_DFL;
  if (sigaction(SIGTSTP, &action, &before) == -1) return ThrowErrno(info.Env(), errno, "sigaction");
  static_cast<void>(raise(SIGTSTP));
  sigaction(SIGTSTP, &before, nullptr);
  return info.Env().Undefined();
}

static Napi::Array ToArray(Napi::Env env, const sigset_t& set) {
  Napi::Array signals = Napi::Array::New(env);
  for (int signal = 1; signal <= SIGRTMAX; signal++) {
    if (sigismember(&set, signal) == 1) signals.Set(signals.Length(), Napi::Number::New(env, signal));
  }
  return signals;
}

static Napi::Value GetSignalMask(const Napi::CallbackInfo& info) {
  sigset_t current;
  const int error = pthread_sigmask(SIG_SETMASK, nullptr, &current);
  if (error != 0) return ThrowErrno(info.Env(), error, "sigprocmask");
  return ToArray(info.Env(), current);
}

static Napi::Value SetSignalMask(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) return ThrowType(info.Env(), "an array of signal numbers is expected");
  const Napi::Array signals = info[0].As<Napi::Array>();
  sigset_t wanted;
  sigemptyset(&wanted);
  for (uint32_t i = 0; i < signals.Length(); i++) {
    const Napi::Value signal = signals.Get(i);
    if (!signal.IsNumber()) return ThrowType(info.Env(), "an array of signal numbers is expected");
    if (sigaddset(&wanted, signal.As<Napi::Number>().Int32Value()) == -1) {
      return ThrowErrno(info.Env(), errno, "sigaddset");
    }
  }
  sigset_t previous;
  const int error = pthread_sigmask(SIG_SETMASK, &wanted, &previous);
  if (error != 0) return ThrowErrno(info.Env(), error, "sigprocmask");
  return ToArray(info.Env(), previous);
}

static Napi::Value ResetSignals(const Napi::CallbackInfo& info) {
  for (int signal = 1; signal <= SIGRTMAX; signal++) {
    // Node ignores these two for itself: a write to a closed socket, or beyond the file size limit, is to fail with an
    // errno instead of ending the process.
    if (signal == SIGPIPE || signal == SIGXFSZ) continue;
    struct sigaction action;
    // EINVAL: the two signals that glibc keeps to itself.
    if (sigaction(signal, nullptr, &action) == -1 || action.sa_handler != SIG_IGN) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    if (sigaction(signal, &action, nullptr) == -1) return ThrowErrno(info.Env(), errno, "sigaction");
  }
  sigset_t none;
  sigemptyset(&none);
  const int error = pthread_sigmask(SIG_SETMASK, &none, nullptr);
  if (error != 0) return ThrowErrno(info.Env(), error, "sigprocmask");
  return info.Env().Undefined();
}

// defaultSignals(signals): gives up handlers, too. For a process that runs no more JavaScript.
static Napi::Value DefaultSignals(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) return ThrowType(info.Env(), "an array of signal numbers is expected");
  const Napi::Array signals = info[0].As<Napi::Array>();
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (uint32_t i = 0; i < signals.Length(); i++) {
    const Napi::Value signal = signals.Get(i);
    if (!signal.IsNumber()) return ThrowType(info.Env(), "an array of signal numbers is expected");
    if (sigaction(signal.As<Napi::Number>().Int32Value(), &action, nullptr) == -1) {
      return ThrowErrno(info.Env(), errno, "sigaction");
    }
  }
  return info.Env().Undefined();
}

void RegisterSignals(Napi::Env env, Napi::Object exports) {
  exports.Set("kill", Napi::Function::New<Kill>(env, "kill"));
  exports.Set("queueSignal", Napi::Function::New<QueueSignal>(env, "queueSignal"));
  exports.Set("stopAsTerminalDoes", Napi::Function::New<StopAsTerminalDoes>(env, "stopAsTerminalDoes"));
  exports.Set("getSignalMask", Napi::Function::New<GetSignalMask>(env, "getSignalMask"));
  exports.Set("setSignalMask", Napi::Function::New<SetSignalMask>(env, "setSignalMask"));
  exports.Set("resetSignals", Napi::Function::New<ResetSignals>(env, "resetSignals"));
  exports.Set("defaultSignals", Napi::Function::New<DefaultSignals>(env, "defaultSignals"));
  // Not constants of the kernel: the C library takes the first real-time signals for itself.
  exports.Set("sigrtmin", Napi::Number::New(env, SIGRTMIN));
  exports.Set("sigrtmax", Napi::Number::New(env, SIGRTMAX));
}

}  // namespace posix_daemon
