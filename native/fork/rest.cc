#include "rest.h"

#include <link.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "arch.h"

namespace posix_daemon {

struct TextRange {
  uintptr_t start;
  uintptr_t end;
};

// libc, libpthread (a library of its own before glibc 2.34), the loader and the vDSO.
static TextRange libc_text[8];
static int libc_text_count;

static bool IsLibc(const char* path) {
  const char* slash = strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  for (const char* prefix : {"libc.so.", "libc-", "libpthread", "ld-linux", "ld-2", "linux-vdso", "linux-gate"}) {
    if (strncmp(name, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

static int VisitModule(dl_phdr_info* module, size_t, void*) {
  if (!IsLibc(module->dlpi_name)) return 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || libc_text_count == 8) continue;
    const uintptr_t start = module->dlpi_addr + segment.p_vaddr;
    libc_text[libc_text_count++] = {start, start + segment.p_memsz};
  }
  return 0;
}

void LearnLibcText() {
  if (libc_text_count == 0) dl_iterate_phdr(VisitModule, nullptr);
}

// The calls in which threads sleep. Not a list of all that can block: a call belongs here only if to repeat it in the
// child is right whatever it returned in the parent.
static bool IsSleep(long number) {
  switch (number) {
    case __NR_futex:
    case __NR_read:
    case __NR_readv:
    case __NR_epoll_pwait:
    case __NR_ppoll:
    case __NR_pselect6:
    case __NR_nanosleep:
    case __NR_clock_nanosleep:
    case __NR_rt_sigtimedwait:
    case __NR_recvfrom:
    case __NR_recvmsg:
    case __NR_accept:
    case __NR_accept4:
    case __NR_wait4:
    case __NR_waitid:
    case __NR_flock:
#if defined(__x86_64__)
    case __NR_epoll_wait:
    case __NR_poll:
    case __NR_select:
    case __NR_pause:
#endif
      return true;
    default:
      return false;
  }
}

bool AtRest(const ucontext_t* context, Demand demand) {
  if (demand == Demand::kNothing) return true;
  const uintptr_t ip = InstructionPointer(context);
  // A call that the kernel will repeat (SA_RESTART): it has moved the thread back onto the instruction.
  if (IsSyscallInstruction(ip)) return IsSleep(SyscallToMake(context));
  // A call that can't be repeated because it had a time-out (epoll_wait, a timed futex): it has returned EINTR.
  if (IsSyscallInstruction(ip - kSyscallInstructionSize) && ReturnValue(context) == -EINTR) return true;
  if (demand == Demand::kAsleep) return false;
  for (int i = 0; i < libc_text_count; i++) {
    if (ip >= libc_text[i].start && ip < libc_text[i].end) return false;
  }
  return true;
}

}  // namespace posix_daemon
