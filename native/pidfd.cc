#include "pidfd.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <new>

#include "arguments.h"
#include "errors.h"
#include "wait_status.h"

// The oldest C library that this is built with has none of the three by name.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
static constexpr int kPPidfd = 3;  // P_PIDFD

namespace posix_daemon {

static uv_loop_t* LoopOf(napi_env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

// The uv_poll_t of a pending wait. libuv needs it until its close callback has run, and that may be later than the end
// of the PidFd, so it is an allocation of its own, freed by that callback. The cleanup hook is asynchronous because an
// environment that ends meanwhile (process.exit, a terminated Worker) has to run its loop until then.
struct ExitWatch {
  uv_poll_t poll;
  PidFd* owner;
  napi_async_cleanup_hook_handle hook;
  Napi::FunctionReference callback;

  static void OnExit(uv_poll_t* poll, int error, int events);
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* data);
  static void OnClosed(uv_handle_t* handle);
};

Napi::Function PidFd::Define(Napi::Env env) {
  return DefineClass(env, "PidFd",
                     {InstanceMethod<&PidFd::Alive>("alive"), InstanceMethod<&PidFd::Signal>("signal"),
                      InstanceMethod<&PidFd::Descriptor>("descriptor"), InstanceMethod<&PidFd::Watch>("watch"),
                      InstanceMethod<&PidFd::KeepAlive>("keepAlive"), InstanceMethod<&PidFd::Reopen>("reopen"),
                      InstanceMethod<&PidFd::Close>("close")});
}

PidFd::PidFd(const Napi::CallbackInfo& info) : ObjectWrap(info) { Reopen(info); }

// (pid): once it is closed, for another process. What an object has outside of V8's heap is freed by the event loop, so
// where that stands still objects have to be used again.
Napi::Value PidFd::Reopen(const Napi::CallbackInfo& info) {
  if (fd_ != -1) return ThrowErrno(info.Env(), EBUSY, "pidfd_open");
  if (!ReadInt(info, 0, &pid_)) return info.Env().Undefined();
  // Close-on-exec by definition.
  fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (fd_ == -1) ThrowErrno(info.Env(), errno, "pidfd_open");
  return info.Env().Undefined();
}

// The garbage collector's way out. No watch can be left: a pending one keeps its object alive, and the environment's
// end has cleared it before it comes here.
PidFd::~PidFd() {
  if (fd_ != -1) close(fd_);
}

Napi::Value PidFd::Alive(const Napi::CallbackInfo& info) {
  // poll ignores a negative descriptor instead of failing.
  if (fd_ == -1) return ThrowErrno(info.Env(), EBADF, "poll");
  pollfd entry = {fd_, POLLIN, 0};
  int ready;
  do {
    ready = poll(&entry, 1, 0);
  } while (ready == -1 && errno == EINTR);
  if (ready == -1) return ThrowErrno(info.Env(), errno, "poll");
  return Napi::Boolean::New(info.Env(), ready == 0);
}

// The pidfd itself, to be waited on with others: readable when the process has terminated.
Napi::Value PidFd::Descriptor(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), fd_); }

Napi::Value PidFd::Signal(const Napi::CallbackInfo& info) {
  int32_t signal;
  if (!ReadInt(info, 0, &signal)) return info.Env().Undefined();
  if (syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0) == -1) {
    return ThrowErrno(info.Env(), errno, "pidfd_send_signal");
  }
  return info.Env().Undefined();
}

// (callback): called once with (error, status or null) when the process has terminated, unless close() comes first.
Napi::Value PidFd::Watch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsFunction()) return ThrowType(env, "a function is expected");
  if (fd_ == -1) return ThrowErrno(env, EBADF, "waitid");
  if (watch_ != nullptr) return ThrowErrno(env, EALREADY, "waitid");

  auto* watch = new (std::nothrow) ExitWatch{};
  if (watch == nullptr) return ThrowErrno(env, ENOMEM, "uv_poll_init");
  const int error = uv_poll_init(LoopOf(env), &watch->poll, fd_);
  if (error != 0) {
    delete watch;
    return ThrowErrno(env, -error, "uv_poll_init");
  }
  watch->poll.data = watch;
  watch->owner = this;
  watch->callback = Napi::Persistent(info[0].As<Napi::Function>());
  napi_add_async_cleanup_hook(env, ExitWatch::OnTeardown, watch, &watch->hook);
  watch_ = watch;
  ApplyKeepAlive();
  Ref();
  uv_poll_start(&watch->poll, UV_READABLE, ExitWatch::OnExit);
  return env.Undefined();
}

// (on): whether a watch keeps the event loop alive.
Napi::Value PidFd::KeepAlive(const Napi::CallbackInfo& info) {
  if (ReadBool(info, 0, &keep_alive_)) ApplyKeepAlive();
  return info.Env().Undefined();
}

void PidFd::ApplyKeepAlive() {
  if (watch_ == nullptr) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&watch_->poll);
  if (keep_alive_) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

// Idempotent. The callback of a pending watch is never called then.
Napi::Value PidFd::Close(const Napi::CallbackInfo& info) {
  EndWatch();
  const int fd = fd_;
  fd_ = -1;
  // Not retried on EINTR: on Linux the descriptor is gone all the same, and the number may be somebody else's by then.
  if (fd != -1) close(fd);
  return info.Env().Undefined();
}

void PidFd::EndWatch() {
  if (watch_ == nullptr) return;
  ExitWatch* watch = watch_;
  watch_ = nullptr;
  watch->owner = nullptr;
  watch->callback.Reset();
  // From here on the poller is out of the loop's epoll set and the descriptor may be closed.
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), ExitWatch::OnClosed);
  Unref();
}

void ExitWatch::OnClosed(uv_handle_t* handle) {
  auto* watch = static_cast<ExitWatch*>(handle->data);
  napi_remove_async_cleanup_hook(watch->hook);
  delete watch;
}

void ExitWatch::OnTeardown(napi_async_cleanup_hook_handle, void* data) {
  auto* watch = static_cast<ExitWatch*>(data);
  // None when the watch had ended already and only libuv's callback is outstanding.
  if (watch->owner != nullptr) watch->owner->EndWatch();
}

void ExitWatch::OnExit(uv_poll_t* poll, int error, int) {
  const auto* watch = static_cast<ExitWatch*>(poll->data);
  PidFd* owner = watch->owner;
  const Napi::Env env = owner->Env();
  const Napi::HandleScope scope(env);
  const Napi::Function callback = watch->callback.Value();

  Napi::Value status = error == 0 ? owner->CollectStatus(env) : ThrowErrno(env, -error, "epoll_wait");
  Napi::Value failure = env.Null();
  if (env.IsExceptionPending()) {
    failure = env.GetAndClearPendingException().Value();
  } else if (status.IsUndefined()) {
    return;
  }
  owner->EndWatch();

  // The plain call, since the C++ one turns a Worker that is being terminated into an exception it then can't throw.
  const napi_value arguments[] = {failure, status};
  if (napi_make_callback(env, nullptr, env.Global(), callback, 2, arguments, nullptr) != napi_pending_exception) return;
  // Nobody is above to catch what the callback threw.
  napi_value thrown;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

// How the process ended; null if that isn't ours to know; undefined if not yet. The caller has seen the pidfd readable.
Napi::Value PidFd::CollectStatus(Napi::Env env) {
  siginfo_t ending = {};
  rusage usage = {};
  const int options = WEXITED | WNOHANG | (StatusIsOurs(env) ? 0 : WNOWAIT);
  long result;
  do {
    // The C library's waitid has no rusage, and wait4 knows no WNOWAIT.
    result = syscall(SYS_waitid, kPPidfd, fd_, &ending, options, &usage);
  } while (result == -1 && errno == EINTR);
  // Not a child of this process, or one that has been reaped.
  if (result == -1 && errno == ECHILD) return env.Null();
  if (result == -1) return ThrowErrno(env, errno, "waitid");
  // A debugger or strace is attached and hasn't seen the end yet. The pidfd stays readable, so the loop comes back here
  // until it has.
  if (ending.si_pid == 0) return env.Undefined();
  return MakeWaitStatus(env, ending.si_pid, ending.si_code, ending.si_status, usage);
}

// Whether the process may be reaped here. What child_process started must be left to libuv, whose own wait would find
// nothing and whose 'exit' event would never come. It keeps such a child as an active handle of the loop it was started
// in. Loops of other threads can't be walked, so a Worker leaves everything to the main thread.
bool PidFd::StatusIsOurs(Napi::Env env) const {
  uv_loop_t* loop = LoopOf(env);
  if (loop != uv_default_loop()) return false;
  struct Search {
    pid_t pid;
    bool found;
  } search = {pid_, false};
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* data) {
        auto* search = static_cast<Search*>(data);
        if (uv_handle_get_type(handle) != UV_PROCESS || !uv_is_active(handle)) return;
        if (uv_process_get_pid(reinterpret_cast<uv_process_t*>(handle)) == search->pid) search->found = true;
      },
      &search);
  return !search.found;
}

}  // namespace posix_daemon
