#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <utility>

#include "../user_pipes.h"
#include "descriptors.h"
#include "fork.h"
#include "mappings.h"
#include "memory.h"
#include "owners.h"
#include "raw.h"
#include "sleepers.h"
#include "threads.h"

namespace posix_daemon {

// A page shared by parent and child, in which the child tells whether it has become a whole process: it can fail to,
// at a limit of processes for one, and the parent's fork() must not have succeeded then.
class Handshake {
 public:
  Handshake() = default;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake() { Close(); }

  void Close() {
    if (page_ != nullptr) munmap(page_, sizeof(Page));
    page_ = nullptr;
  }

  // False with errno set if there is no memory. A page of its own for each fork: the child hands its copy on to no
  // children of its own.
  bool Open() {
    Close();
    void* page = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    page_ = static_cast<Page*>(page);
    return true;
  }

  // In the child.
  void Tell(int error) {
    page_->error = error;
    page_->told.store(1, std::memory_order_release);
    FutexWakeAll(&page_->told, true);
  }

  // The errno that was told, 0 if none.
  int told() const { return page_->error; }

  // In the parent: what the child told, or EAGAIN if it was killed before it could. One that is stopped goes on: this
  // process would stand still with it.
  int Await(pid_t child) {
    constexpr int64_t kLookAgainNs = 10'000'000;
    constexpr int kLooksUntilStopped = 10;
    for (int looks = 1; page_->told.load(std::memory_order_acquire) == 0; looks++) {
      if (FutexWait(&page_->told, 0, kLookAgainNs, true)) continue;
      // A death wakes no futex, and a pidfd to wait on as well could fail for want of descriptors; so a look now and
      // then.
      siginfo_t info = {};
      const int result = waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
      const bool stopped = result == 0 && info.si_pid == child && info.si_code == CLD_STOPPED;
      if (stopped) kill(child, SIGCONT);
      const bool dead = result == -1 ? errno == ECHILD : info.si_pid == child && !stopped;
      if (dead && page_->told.load(std::memory_order_acquire) == 0) return EAGAIN;
      // A keeper's child tells nobody that it is stopped.
      if (looks % kLooksUntilStopped == 0 && *second() > 0 && *second() != child) kill(*second(), SIGCONT);
    }
    return page_->error;
  }

  // The pid of the second child of two, written by the kernel before that runs.
  pid_t* second() { return &page_->second; }

  // What the child found out about the mutexes, later: for Sleepers.
  std::atomic<int>* nothing_held() { return &page_->nothing_held; }

  void Swap(Handshake* other) { std::swap(page_, other->page_); }

 private:
  struct Page {
    std::atomic<int> told;
    int error;
    pid_t second;
    std::atomic<int> nothing_held;
  };
  Page* page_ = nullptr;
};

// Blocks every signal of the calling thread for its lifetime.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

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

// Kept between forks, for their buffers and what Memory has learned. Statics of the addon: one main thread, one user.
static Threads threads;
static Memory memory;
static Descriptors descriptors;
static RawVector<Mapping> mappings;
static Sleepers sleepers;
// Of the last fork whose child looked for held mutexes.
static Handshake last_search;

// Parks the threads and notes the descriptors, both at a moment when that is possible.
static ForkFailure Freeze(const std::set<ino_t>& user_pipes) {
  constexpr int kAttempts = 300;
  constexpr int64_t kPauseNs = 100'000;
  for (int attempt = 0;; attempt++) {
    int error = threads.Park();
    if (error != 0) return {error, "park"};
    error = descriptors.Survey(user_pipes);
    if (error == 0) return {0, nullptr};
    descriptors.Finish();
    threads.Release();
    if (error != EBUSY) return {error, "descriptors"};
    if (attempt == kAttempts) return {EAGAIN, "descriptors"};
    std::atomic<int> nobody_wakes_it{0};
    FutexWait(&nobody_wakes_it, 0, kPauseNs, false);
  }
}

// The raw call. The C library's fork() would tidy up after threads that it believes to be gone: hand their stacks to
// new ones, run the handlers of pthread_atfork.
static pid_t Clone(int* tid_address, pid_t* pid_address) {
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

// Forks once more, within the same parking of the threads, and returns in the second copy only. The first one, which
// never runs JavaScript, goes on as `lineage` says.
class Between {
 public:
  Between(const MainThread& main, const Lineage& lineage, Handshake* handshake)
      : main_(main), lineage_(lineage), handshake_(handshake) {}

  void Pass() {
    if (lineage_.kind == Lineage::kDetached) Must(setsid());
    if (lineage_.kind == Lineage::kKept) Keep();
    const pid_t self = getpid();
    const pid_t pid = Must(Clone(main_.tid_address, handshake_->second()));
    if (pid == 0) return TieTo(self);
    if (lineage_.kind == Lineage::kKept) BecomeKeeper(pid);
    Exit(0);
  }

 private:
  // Ends this copy when one of its calls has failed.
  int Must(int result) {
    if (result != -1) return result;
    handshake_->Tell(errno);
    Exit(1);
  }

  [[noreturn]] static void Exit(int status) {
    for (;;) syscall(SYS_exit_group, status);
  }

  // Orphans below come to the keeper, and it hears of its parent's death: by a signal that waits, being blocked, until
  // it is the keeper, and that it gets even if it is stopped.
  void Keep() {
    Must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    Must(prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0));
    if (getppid() != main_.pid) Exit(1);
  }

  void TieTo(pid_t keeper) {
    if (lineage_.kind != Lineage::kKept) return;
    // Whatever it fails with: the keeper kills its worker as well.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != keeper) Exit(1);
  }

  // The inherited heap goes with the exec.
  [[noreturn]] void BecomeKeeper(pid_t worker) {
    const Digits of_worker(worker);
    const Digits of_watchdog(main_.pid);
    char mode[] = "tree";
    char* argv[] = {const_cast<char*>(lineage_.title), mode, of_worker.text(), of_watchdog.text(), nullptr};
    char* env[] = {nullptr};
    execve(lineage_.keeper, argv, env);
    // The worker dies with this process, and its parent sees why it can't be.
    Exit(126);
  }

  const MainThread& main_;
  const Lineage& lineage_;
  Handshake* handshake_;
};

// Makes the copy that clone left, one thread and the parent's kernel objects, into a process of its own.
static void BecomeProcess(const MainThread& main, uv_loop_t* loop, bool search, Handshake* handshake) {
  syscall(SYS_set_robust_list, main.robust_list, main.robust_list_size);
  int error = threads.Respawn();
  if (error == 0) error = descriptors.Replace(mappings, loop);
  handshake->Tell(error);
  if (error != 0) syscall(SYS_exit_group, 1);
  memory.Exclude();
  if (search && RepairLockOwners(mappings, &threads, main.pid, *main.tid_address)) {
    handshake->nothing_held()->store(1, std::memory_order_release);
  }
  threads.Open();
}

static void Reap(pid_t child) {
  while (waitpid(child, nullptr, 0) == -1 && errno == EINTR) {
  }
}

ForkFailure LiveFork(uv_loop_t* loop, const Lineage& lineage, Forked* forked) {
  // First all that may take a lock.
  const std::set<ino_t> user_pipes = UserPipes();
  Handshake handshake;
  if (!handshake.Open()) return {errno, "mmap"};

  const SignalsBlocked signals_blocked;
  const MainThread main;
  const ForkFailure frozen = Freeze(user_pipes);
  if (frozen.error != 0) return frozen;

  const char* step = "memory";
  int error = ReadMappings(&mappings);
  if (error == 0) error = memory.Include(&mappings);
  pid_t child = -1;
  const bool search = error != 0 || !sleepers.AllWhereTheyHeldNothing(&threads, mappings);
  if (error == 0) {
    step = "clone";
    pid_t unused;
    child = Clone(main.tid_address, &unused);
    error = child == -1 ? errno : 0;
    if (child == 0) {
      if (lineage.kind != Lineage::kChild) Between(main, lineage, &handshake).Pass();
      BecomeProcess(main, loop, search, &handshake);
      *forked = {0, 0};
      return {0, nullptr};
    }
    memory.Exclude();
  }
  descriptors.Finish();
  threads.Release();
  if (error != 0) return {error, step};

  pid_t awaited = child;
  if (lineage.kind == Lineage::kDetached) {
    Reap(child);
    awaited = *handshake.second();
    // The one between was killed before it could fork, or has told why it couldn't.
    if (awaited == 0) return {handshake.told() == 0 ? EAGAIN : handshake.told(), "detach"};
  }
  error = handshake.Await(awaited);
  if (error != 0) {
    Reap(awaited);
    return {error, "child"};
  }
  *forked = lineage.kind == Lineage::kChild ? Forked{child, 0} : Forked{*handshake.second(), child};
  if (search) {
    sleepers.Remember(handshake.nothing_held());
    last_search.Swap(&handshake);
  }
  return {0, nullptr};
}

}  // namespace posix_daemon
