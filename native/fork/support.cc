#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

#include "fork.h"

namespace posix_daemon {

int CheckSupport(const char** what) {
  int* address = nullptr;
  *what = "prctl(PR_GET_TID_ADDRESS)";
  if (syscall(SYS_prctl, PR_GET_TID_ADDRESS, &address, 0, 0, 0) == -1) return errno;
  *what = "get_robust_list";
  void* list;
  size_t size;
  if (syscall(SYS_get_robust_list, 0, &list, &size) == -1) return errno;
  for (const char* path : {"/proc/self/task", "/proc/self/fd", "/proc/self/fdinfo", "/proc/self/maps"}) {
    *what = path;
    if (access(path, R_OK) == -1) return errno;
  }
  // A new thread gets an empty shadow stack, and couldn't return from anything.
  uint64_t features = 0;
#if defined(__x86_64__)
  constexpr int kShadowStackStatus = 0x5005;
  *what = "shadow stacks (GLIBC_TUNABLES=glibc.cpu.x86_shstk)";
  const long answered = syscall(SYS_arch_prctl, kShadowStackStatus, &features);
#else
  constexpr int kShadowStackStatus = 74;
  *what = "guarded control stacks (GLIBC_TUNABLES=glibc.cpu.aarch64_gcs)";
  const long answered = syscall(SYS_prctl, kShadowStackStatus, &features, 0, 0, 0);
#endif
  if (answered == 0 && (features & 1) != 0) return ENOTSUP;
  return 0;
}

}  // namespace posix_daemon
