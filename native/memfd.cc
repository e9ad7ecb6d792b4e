// Anonymous files: what one program hands to the next that it becomes, without a trace in arguments or environment.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

// memfd(name): an empty file in memory; /proc/self/fd shows it as `/memfd:NAME (deleted)`.
static Napi::Value Memfd(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ReadString(info, 0, &name)) return info.Env().Undefined();
  const int fd = memfd_create(name.c_str(), MFD_CLOEXEC);
  if (fd == -1) return ThrowErrno(info.Env(), errno, "memfd_create");
  return Napi::Number::New(info.Env(), fd);
}

void RegisterMemfd(Napi::Env env, Napi::Object exports) {
  exports.Set("memfd", Napi::Function::New<Memfd>(env, "memfd"));
}

}  // namespace posix_daemon
