// How a process comes to its copy: at once, or by another one between the two.
#pragma once

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "fork.h"
#include "handshake.h"

namespace posix_daemon {

// What is kept of the main thread for its copy: the kernel forgets both at a fork.
struct MainThread {
  pid_t pid = getpid();
  int* tid_address = nullptr;
  void* robust_list = nullptr;
  size_t robust_list_size = 0;

  MainThread() {
    syscall(SYS_prctl, PR_GET_TID_ADDRESS, &tid_address, 0, 0, 0);
    syscall(SYS_get_robust_list, 0, &robust_list, &robust_list_size);
  }
};

// Forks, with all other threads standing still.
class Between {
 public:
  Between(const MainThread& main, const Lineage& lineage, Handshake* handshake)
      : main_(main), lineage_(lineage), handshake_(handshake) {}
  Between(const Between&) = delete;
  Between& operator=(const Between&) = delete;

  // Returns twice, as fork() does: in the caller with the pid of its child, which may be the one between, and in the
  // copy with 0. -1 with errno.
  pid_t Fork();
  // Until that child, if it is a keeper, has left this process's memory.
  void AwaitDeparture(pid_t child) const;

 private:
  void Detach();
  pid_t ForkKept();
  static int RunKeeper(void* self);
  void Keep();
  void TieTo(pid_t keeper) const;
  [[noreturn]] void BecomeKeeper(pid_t worker) const;
  int Must(int result) const;

  const MainThread& main_;
  const Lineage& lineage_;
  Handshake* const handshake_;
  // Where the copy goes on, as __builtin_setjmp has it.
  void* worker_context_[5];
  // Not 0 while the keeper-to-be uses this process's memory: the kernel clears it with the exec.
  mutable std::atomic<int> resident_{0};
};

}  // namespace posix_daemon
