#include "launch.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>

#include "child.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace posix_daemon {

namespace {

// What the child needs beside the plan: a stack, above a page that nothing may touch, and its outcome on top. All of it
// is mapped shared, so that the parent reads the outcome whether the child has its memory or a copy of it. Better than
// the usual close-on-exec pipe: no descriptor that could be missing (EMFILE) or get into another child, no read, and a
// child that was killed on its way looks different from one that became its program.
//
// Mapping it costs a tenth of a start, so a thread keeps its own; but not across a fork(), where two processes would
// write their outcomes to one page. Of living processes that share one, only the one that mapped it has its pid.
class Arena {
 public:
  Arena() = default;
  ~Arena() { Unmap(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Makes it ready for the next child; false with errno set.
  bool Prepare() {
    if (owner_ != getpid()) {
      Unmap();
      if (!Map()) return false;
    }
#ifdef __SANITIZE_ADDRESS__
    // The last child never returned from its frames, so their red zones are still marked.
    __asan_unpoison_memory_region(base_ + kGuard, kSize - kGuard);
#endif
    outcome_ = new (base_ + kSize - kOutcome) Outcome{Step::kClone, 0, 0, 0};
    return true;
  }

  Outcome& outcome() { return *outcome_; }
  void* stack_top() { return base_ + kSize - kOutcome; }

 private:
  static constexpr size_t kGuard = 64 << 10;  // The largest page of arm64.
  static constexpr size_t kSize = 192 << 10;
  static constexpr size_t kOutcome = 64;

  bool Map() {
    void* const mapped = mmap(nullptr, kSize, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    base_ = static_cast<char*>(mapped);
    if (mprotect(base_ + kGuard, kSize - kGuard, PROT_READ | PROT_WRITE) == -1) return false;
    owner_ = getpid();
    return true;
  }

  void Unmap() {
    if (base_ != nullptr) munmap(base_, kSize);
    base_ = nullptr;
    owner_ = 0;
  }

  char* base_ = nullptr;
  Outcome* outcome_ = nullptr;
  pid_t owner_ = 0;
};

// Keeps every signal from this thread, also the two that the libc hides from sigprocmask(): the child starts with the
// mask, and a handler that ran in it would run in the parent's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~AllSignalsBlocked() {
    const int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    errno = error;
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

struct Order {
  Plan& plan;
  Outcome& outcome;
};

ENDS_CHILD int StartChild(void* argument) {
  const auto* order = static_cast<const Order*>(argument);
  RunChild(order->plan, order->outcome);
}

// CLONE_VFORK: this thread waits until the child has executed its program or is gone, so the outcome is complete when
// clone() returns. CLONE_VM: the child borrows the memory, which spares copying the page tables of a whole heap. Not
// when it changes its ids: the kernel then marks the memory undumpable, which would be the parent's (its /proc files
// become root's, it leaves no core), and the new user's process could be traced while it has the parent's secrets.
pid_t Clone(Plan& plan, Arena& arena) {
  const int flags = CLONE_VFORK | SIGCHLD | (plan.ChangesCredentials() ? 0 : CLONE_VM);
  Order order{plan, arena.outcome()};
  const AllSignalsBlocked blocked;
  return clone(StartChild, arena.stack_top(), flags, &order);
}

// Whether it exited, rather than being killed.
bool Reap(pid_t pid) {
  int status = 0;
  // ECHILD is no failure: SIGCHLD is ignored here, or another thread waits for any child.
  while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
  }
  return WIFEXITED(status);
}

// Ends a detached child that nobody will hear of. It is not ours to wait for.
void Abandon(pid_t pid) {
  if (pid > 0) kill(pid, SIGKILL);
}

}  // namespace

Launched Launch(Plan& plan) {
  plan.parent = getpid();
  thread_local Arena arena;
  if (!arena.Prepare()) return {-1, Step::kClone, errno, 0};
  const pid_t pid = Clone(plan, arena);
  if (pid == -1) return {-1, Step::kClone, errno, 0};

  const Outcome& outcome = arena.outcome();
  bool killed = false;
  if (plan.detach) killed = !Reap(pid);
  const bool executed = outcome.step == Step::kExecve && outcome.error == 0 && !killed;
  if (executed) return {plan.detach ? outcome.detached : pid, Step::kExecve, 0, 0};

  if (plan.detach) {
    Abandon(outcome.error == 0 ? outcome.detached : 0);
  } else {
    Reap(pid);
  }
  // Killed before it came to execve, by the OOM killer or by hand. Killed later is killed as the program, also while
  // the kernel still loads it: this thread goes on when the child has given up the old memory.
  return {-1, outcome.step, outcome.error == 0 ? ECANCELED : outcome.error, outcome.item};
}

}  // namespace posix_daemon
