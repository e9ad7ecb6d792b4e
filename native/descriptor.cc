// Descriptors: copies, pipes, locks, and closing what the program itself holds.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"
#include "runtime_descriptors.h"
#include "user_pipes.h"

namespace posix_daemon {

static Napi::Value ThrowUnlisted(Napi::Env env, int error) {
  return ThrowErrno(env, error, "opendir", {"/proc/self/fd"});
}

static Napi::Value Dup(const Napi::CallbackInfo& info) {
  int32_t fd;
  if (!ReadInt(info, 0, &fd)) return info.Env().Undefined();
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy == -1) return ThrowErrno(info.Env(), errno, "dup");
  return Napi::Number::New(info.Env(), copy);
}

static Napi::Value Dup2(const Napi::CallbackInfo& info) {
  int32_t from;
  int32_t to;
  if (!ReadInt(info, 0, &from) || !ReadInt(info, 1, &to)) return info.Env().Undefined();
  if (fcntl(from, F_GETFD) == -1) return ThrowErrno(info.Env(), errno, "dup2");
  // dup3 refuses equal numbers, where POSIX's dup2 changes nothing and returns.
  if (from == to) return Napi::Number::New(info.Env(), to);
  if (to > STDERR_FILENO && fcntl(to, F_GETFD) != -1) {
    std::vector<OpenDescriptor> descriptors;
    const int error = ListOpenDescriptors(&descriptors);
    if (error != 0) return ThrowUnlisted(info.Env(), error);
    for (const OpenDescriptor& open : descriptors) {
      if (open.fd == to && IsEventLoop(open.use)) return ThrowErrno(info.Env(), EBUSY, "dup2");
    }
  }
  int result;
  do {
    result = dup3(from, to, O_CLOEXEC);
    // EBUSY from the kernel is the moment between another thread's open() taking the number and filling it.
  } while (result == -1 && (errno == EINTR || errno == EBUSY));
  if (result == -1) return ThrowErrno(info.Env(), errno, "dup2");
  return Napi::Number::New(info.Env(), result);
}

// The inodes of closed pipes stay in the registry until it has doubled: so the cost of looking for them doesn't grow
// with the number of pipes ever made.
static void ForgetClosedPipes(size_t known) {
  static std::atomic<size_t> limit{1024};
  if (known < limit) return;
  // Taken before the descriptors are listed, so that a pipe which another thread makes meanwhile is kept.
  const std::set<ino_t> candidates = UserPipes();
  std::vector<OpenDescriptor> descriptors;
  if (ListOpenDescriptors(&descriptors) != 0) return;
  std::set<ino_t> open;
  for (const OpenDescriptor& descriptor : descriptors) open.insert(descriptor.pipe);
  for (const ino_t inode : candidates) {
    if (open.count(inode) == 0) ForgetUserPipe(inode);
  }
  limit = std::max<size_t>(1024, 2 * open.size());
}

static Napi::Value Pipe(const Napi::CallbackInfo& info) {
  bool non_blocking;
  if (!ReadBool(info, 0, &non_blocking)) return info.Env().Undefined();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | (non_blocking ? O_NONBLOCK : 0)) == -1) return ThrowErrno(info.Env(), errno, "pipe");
  struct stat status;
  if (fstat(ends[0], &status) == 0) ForgetClosedPipes(RememberUserPipe(status.st_ino));
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), ends[0]));
  result.Set(1u, Napi::Number::New(info.Env(), ends[1]));
  return result;
}

static Napi::Value Closefrom(const Napi::CallbackInfo& info) {
  int32_t lowest;
  if (!ReadInt(info, 0, &lowest)) return info.Env().Undefined();
  std::vector<OpenDescriptor> descriptors;
  const int error = ListOpenDescriptors(&descriptors);
  if (error != 0) return ThrowUnlisted(info.Env(), error);
  // One by one, not by close_range between those kept: that would also close what another thread, a new worker's event
  // loop for one, has opened since the list was made.
  for (const OpenDescriptor& open : descriptors) {
    // No failure matters: Linux releases the number also with EINTR and EIO, and EBADF means that it is closed.
    if (open.fd >= lowest && open.use == DescriptorUse::kProgram) close(open.fd);
  }
  return info.Env().Undefined();
}

static Napi::Value Flock(const Napi::CallbackInfo& info) {
  int32_t fd;
  int32_t operation;
  if (!ReadInt(info, 0, &fd) || !ReadInt(info, 1, &operation)) return info.Env().Undefined();
  int result;
  do {
    result = flock(fd, operation);
  } while (result == -1 && errno == EINTR);
  if (result == -1) return ThrowErrno(info.Env(), errno, "flock");
  return info.Env().Undefined();
}

static Napi::Value SetCloexec(const Napi::CallbackInfo& info) {
  int32_t fd;
  bool on;
  if (!ReadInt(info, 0, &fd) || !ReadBool(info, 1, &on)) return info.Env().Undefined();
  // FD_CLOEXEC is the only descriptor flag Linux has: nothing to preserve.
  if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) == -1) return ThrowErrno(info.Env(), errno, "fcntl");
  return info.Env().Undefined();
}

// inheritedDescriptors(): those from 3 on that whoever executed this program had left open. Known by their low numbers,
// or, as Node marks only the first of them close-on-exec, by still lacking that mark. One that the program clears the
// mark of looks the same: to be called before it can have.
static Napi::Value InheritedDescriptors(const Napi::CallbackInfo& info) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return ThrowErrno(info.Env(), ENOTSUP, "uv_default_loop");
  std::vector<OpenDescriptor> descriptors;
  const int error = ListOpenDescriptors(&descriptors);
  if (error != 0) return ThrowUnlisted(info.Env(), error);
  const int last = LastOfBootstrap(loop);
  Napi::Array result = Napi::Array::New(info.Env());
  for (const OpenDescriptor& open : descriptors) {
    if (open.fd <= STDERR_FILENO || open.use != DescriptorUse::kProgram) continue;
    const bool marked = fcntl(open.fd, F_GETFD) != 0;
    if (open.fd < last || !marked) result.Set(result.Length(), Napi::Number::New(info.Env(), open.fd));
  }
  return result;
}

// waitReadable(fd, ms): whether there is something to read, or the end, within that time; -1 waits for ever. The event
// loop stands still.
static Napi::Value WaitReadable(const Napi::CallbackInfo& info) {
  int32_t fd;
  int32_t timeout_ms;
  if (!ReadInt(info, 0, &fd) || !ReadInt(info, 1, &timeout_ms)) return info.Env().Undefined();
  const uint64_t end = uv_hrtime() + static_cast<uint64_t>(std::max(timeout_ms, 0)) * 1'000'000;
  pollfd watched = {fd, POLLIN, 0};
  for (;;) {
    const uint64_t now = uv_hrtime();
    const int left = timeout_ms < 0 ? -1 : now >= end ? 0 : static_cast<int>((end - now + 999'999) / 1'000'000);
    const int ready = poll(&watched, 1, left);
    if (ready != -1) return Napi::Boolean::New(info.Env(), ready > 0);
    if (errno != EINTR) return ThrowErrno(info.Env(), errno, "poll");
  }
}

void RegisterDescriptor(Napi::Env env, Napi::Object exports) {
  exports.Set("dup", Napi::Function::New<Dup>(env, "dup"));
  exports.Set("dup2", Napi::Function::New<Dup2>(env, "dup2"));
  exports.Set("pipe", Napi::Function::New<Pipe>(env, "pipe"));
  exports.Set("closefrom", Napi::Function::New<Closefrom>(env, "closefrom"));
  exports.Set("flock", Napi::Function::New<Flock>(env, "flock"));
  exports.Set("setCloexec", Napi::Function::New<SetCloexec>(env, "setCloexec"));
  exports.Set("inheritedDescriptors", Napi::Function::New<InheritedDescriptors>(env, "inheritedDescriptors"));
  exports.Set("waitReadable", Napi::Function::New<WaitReadable>(env, "waitReadable"));
}

}  // namespace posix_daemon
