// Making the threads again in the child.
#include <dlfcn.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "raw.h"
#include "threads.h"

namespace posix_daemon {

static std::atomic<int> gate;

// glibc registers an area of each thread for restartable sequences and reads the processor's number from it. Looked up
// when the addon is loaded: a reference, even a weak one, would keep it from loading with a glibc before 2.35.
static const auto* const rseq_offset = static_cast<const ptrdiff_t*>(dlsym(RTLD_DEFAULT, "__rseq_offset"));
static const auto* const rseq_size = static_cast<const unsigned*>(dlsym(RTLD_DEFAULT, "__rseq_size"));

void RegisterRseq() {
  if (rseq_offset == nullptr || rseq_size == nullptr || *rseq_size == 0) return;
  auto* area = static_cast<char*>(__builtin_thread_pointer()) + *rseq_offset;
  constexpr unsigned kOriginalSize = 32;
  if (syscall(SYS_rseq, area, kOriginalSize, 0, kRseqSignature) == 0) return;
  // Not registered: sched_getcpu falls back to the system call if the area says so (RSEQ_CPU_ID_REGISTRATION_FAILED).
  reinterpret_cast<std::atomic<int32_t>*>(area + 4)->store(-2, std::memory_order_relaxed);
}

// The kernel made the thread as a copy of the main one in all that isn't memory.
void Arrive(const Thread& self) {
  syscall(SYS_set_robust_list, self.robust_list, self.robust_list_size);
  RegisterRseq();
  syscall(SYS_prctl, PR_SET_NAME, self.name, 0, 0, 0);
  RestorePlacement(self.placement);
  while (gate.load(std::memory_order_acquire) == 0) FutexWait(&gate, 0, -1, false);
}

int Threads::Respawn() {
  gate.store(0, std::memory_order_relaxed);
  constexpr unsigned long kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                   CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  for (size_t i = 0; i < size(); i++) {
    const Thread& thread = (*this)[i];
    if (!thread.parked()) continue;
    // The new tid is in the thread's descriptor before this returns, so at the gate every thread can see it.
    const long tid = posix_daemon_respawn(kFlags, thread.stack_pointer, thread.tid_address, thread.tid_address,
                                          thread.thread_pointer);
    if (tid < 0) return static_cast<int>(-tid);
  }
  return 0;
}

void Threads::Open() {
  gate.store(1, std::memory_order_release);
  FutexWakeAll(&gate, false);
}

}  // namespace posix_daemon
