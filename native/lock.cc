// The lock of a pid file: a write lock of the open file description (F_OFD_SETLK). Not flock(2): anybody who may read
// the file could take that one too, and look like its daemon; a write lock takes a descriptor open for writing. And
// whether it is held can be asked without taking it. Not the process's own record lock (F_SETLK): that is lost as soon
// as any code of the process opens and closes the file.
#include <fcntl.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

static struct flock WholeFile(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// lockForWriting(fd), lockForReading(fd): whether no other lock was in the way and it is ours now, in the place of one
// that we had. They never wait.
template <short kType>
static Napi::Value Lock(const Napi::CallbackInfo& info) {
  int32_t fd;
  if (!ReadInt(info, 0, &fd)) return info.Env().Undefined();
  struct flock lock = WholeFile(kType);
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return Napi::Boolean::New(info.Env(), true);
  // POSIX allows either.
  if (errno == EAGAIN || errno == EACCES) return Napi::Boolean::New(info.Env(), false);
  return ThrowErrno(info.Env(), errno, "fcntl");
}

// isLockedForWriting(fd): whether another open file description holds such a lock.
static Napi::Value IsLockedForWriting(const Napi::CallbackInfo& info) {
  int32_t fd;
  if (!ReadInt(info, 0, &fd)) return info.Env().Undefined();
  // A read lock is kept away by write locks only.
  struct flock lock = WholeFile(F_RDLCK);
  if (fcntl(fd, F_OFD_GETLK, &lock) == -1) return ThrowErrno(info.Env(), errno, "fcntl");
  return Napi::Boolean::New(info.Env(), lock.l_type == F_WRLCK);
}

void RegisterLock(Napi::Env env, Napi::Object exports) {
  exports.Set("lockForWriting", Napi::Function::New<Lock<F_WRLCK>>(env, "lockForWriting"));
  exports.Set("lockForReading", Napi::Function::New<Lock<F_RDLCK>>(env, "lockForReading"));
  exports.Set("isLockedForWriting", Napi::Function::New<IsLockedForWriting>(env, "isLockedForWriting"));
}

}  // namespace posix_daemon
