#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

#include "fork.h"
#include "raw.h"

namespace posix_daemon {

bool ProcShowsSelf() {
  char link[16] = {};
  const char* at = link;
  uint64_t pid = 0;
  return readlink("/proc/self", link, sizeof link - 1) != -1 && ParseNumber(&at, 10, &pid) &&
         pid == static_cast<uint64_t>(getpid());
}

// A process has one pid in each namespace from that of /proc down to its own, and they may be equal by chance.
static bool HasOnePid() {
  bool one = true;
  return EachLine(open("/proc/self/status", O_RDONLY | O_CLOEXEC),
                  [&](const char* line) {
                    if (strncmp(line, "NSpid:\t", 7) == 0) one = strchr(line + 7, '\t') == nullptr;
                  }) &&
         one;
}

int CheckSupport(const char** what) {
  int* address = nullptr;
  *what = "prctl(PR_GET_TID_ADDRESS)";
  if (syscall(SYS_prctl, PR_GET_TID_ADDRESS, &address, 0, 0, 0) == -1) return errno;
  *what = "get_robust_list";
  void* list;
  size_t size;
  if (syscall(SYS_get_robust_list, 0, &list, &size) == -1) return errno;
  for (const char* path : {"/proc/self/task", "/proc/self/maps"}) {
    *what = path;
    if (access(path, R_OK) == -1) return errno;
  }
  *what = "/proc of another PID namespace";
  static bool has_one_pid = false;
  has_one_pid = has_one_pid || HasOnePid();
  if (!ProcShowsSelf() || !has_one_pid) return ESRCH;
  // Opened, as the survey does it: what access() answers is about the real user.
  *what = "/proc/self/fd";
  const int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd == -1) return errno;
  *what = "/proc/self/fdinfo (closed to a process that has changed its user, before Linux 5.14)";
  char path[40] = "/proc/self/fdinfo/";
  AppendNumber(path, static_cast<unsigned>(fd));
  const int info = open(path, O_RDONLY | O_CLOEXEC);
  const int error = errno;
  close(fd);
  if (info == -1) return error;
  close(info);
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
