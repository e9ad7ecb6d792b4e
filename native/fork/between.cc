#include "between.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "threads.h"

namespace posix_daemon {

namespace {

// What the keeper-to-be runs on until its exec: a few calls deep.
constexpr size_t kStackSize = 64 << 10;
alignas(64) char keeper_stack[kStackSize];

[[noreturn]] void Exit(int status) {
  for (;;) syscall(SYS_exit_group, status);
}

// The raw call. The C library's fork() would tidy up after threads that it believes to be gone: hand their stacks to
// new ones, run the handlers of pthread_atfork.
pid_t Clone(int* tid_address, pid_t* pid_address) {
  constexpr unsigned long kFlags = SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__x86_64__)
  return static_cast<pid_t>(syscall(SYS_clone, kFlags, nullptr, pid_address, tid_address, nullptr));
#else
  return static_cast<pid_t>(syscall(SYS_clone, kFlags, nullptr, pid_address, nullptr, tid_address));
#endif
}

// A pid as text, without the C library: of what it holds locked, one thread may be the owner.
class Digits {
 public:
  explicit Digits(pid_t pid) {
    for (; pid > 0; pid /= 10) *--first_ = static_cast<char>('0' + pid % 10);
  }
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;

  char* text() const { return first_; }

 private:
  char digits_[16] = {};
  char* first_ = digits_ + sizeof digits_ - 1;
};

}  // namespace

pid_t Between::Fork() {
  if (lineage_.kind == Lineage::kKept) return ForkKept();
  pid_t unused;
  const pid_t child = Clone(main_.tid_address, &unused);
  if (child == 0 && lineage_.kind == Lineage::kDetached) Detach();
  return child;
}

// In the child: goes on in a child of its own, in a session that this one leads and leaves.
void Between::Detach() {
  Must(setsid());
  if (Must(Clone(main_.tid_address, handshake_->second())) != 0) Exit(0);
}

// The keeper-to-be shares this process's memory until its exec: a copy of it would be one for nothing, and copying the
// page tables is what takes longest of a fork. It can't be a vfork(): that would wait in the kernel, where nobody could
// wake one that is stopped. So it has a stack of its own; its child, which is a copy of this process with this stack in
// it, jumps back here. Not inlined: __builtin_setjmp saves all registers for this frame.
[[gnu::noinline]] pid_t Between::ForkKept() {
  if (__builtin_setjmp(worker_context_) != 0) return 0;
  resident_.store(1, std::memory_order_relaxed);
  const pid_t keeper = clone(RunKeeper, keeper_stack + kStackSize, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, this,
                             nullptr, nullptr, &resident_);
  if (keeper == -1) {
    resident_.store(0, std::memory_order_relaxed);
    return -1;
  }
  // Here, not further up: the copy is made of this frame.
  handshake_->AwaitParting(keeper);
  return keeper;
}

int Between::RunKeeper(void* self) {
  auto* const between = static_cast<Between*>(self);
  between->Keep();
  const pid_t keeper = getpid();
  const pid_t worker = between->Must(Clone(between->main_.tid_address, between->handshake_->second()));
  if (worker == 0) {
    between->TieTo(keeper);
    // What it sends its own group is not for the keeper.
    setpgid(0, 0);
    RegisterRseq();
    __builtin_longjmp(between->worker_context_, 1);
  }
  between->handshake_->Part();
  between->BecomeKeeper(worker);
}

// Orphans below come to the keeper, and it hears of its parent's death: by a signal that waits, being blocked, until
// it is the keeper, and that it gets even if it is stopped.
void Between::Keep() {
  // Without a terminal, which would stop one worker for what another one does; and not led by the worker.
  Must(setsid());
  Must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  Must(prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0));
  if (getppid() != main_.pid) Exit(1);
}

// Whatever it fails with: the keeper kills its worker as well.
void Between::TieTo(pid_t keeper) const {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != keeper) Exit(1);
}

void Between::BecomeKeeper(pid_t worker) const {
  const Digits of_worker(worker);
  const Digits of_watchdog(main_.pid);
  char mode[] = "tree";
  char* argv[4 + kMaxKeeperFlags + 1] = {const_cast<char*>(lineage_.title), mode, of_worker.text(), of_watchdog.text()};
  for (int i = 0; i < kMaxKeeperFlags && lineage_.flags[i] != nullptr; i++) {
    argv[4 + i] = const_cast<char*>(lineage_.flags[i]);
  }
  // In its own table of descriptors; the worker's is made already.
  syscall(SYS_fcntl, lineage_.kept_fd, F_SETFD, 0);
  char* env[] = {nullptr};
  // The path may be gone, or lead to another version's. It is for where the call is refused, by a sandbox for one.
  syscall(SYS_execveat, lineage_.keeper_fd, "", argv, env, AT_EMPTY_PATH);
  execve(lineage_.keeper, argv, env);
  handshake_->TellExec(errno);
  // The worker dies with this process.
  Exit(126);
}

// Ends the process between when one of its calls has failed.
int Between::Must(int result) const {
  if (result != -1) return result;
  handshake_->Tell(errno);
  handshake_->Part();
  Exit(1);
}

void Between::AwaitDeparture(pid_t child) const {
  constexpr int64_t kLookAgainNs = 10'000'000;
  while (resident_.load(std::memory_order_acquire) != 0) {
    // A death that dumps core may leave the word as it is.
    if (!FutexWait(&resident_, 1, kLookAgainNs, true) && !Handshake::ContinueIfStopped(child)) return;
  }
}

}  // namespace posix_daemon
