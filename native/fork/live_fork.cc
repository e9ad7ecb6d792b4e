#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "../shown_text.h"
#include "../user_pipes.h"
#include "descriptors.h"
#include "fork.h"
#include "handshake.h"
#include "mappings.h"
#include "memory.h"
#include "owners.h"
#include "raw.h"
#include "sleepers.h"
#include "standby.h"
#include "threads.h"

namespace posix_daemon {

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
static Standby standby;
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
    char* argv[4 + kMaxKeeperFlags + 1] = {const_cast<char*>(lineage_.title), mode, of_worker.text(),
                                           of_watchdog.text()};
    for (int i = 0; i < kMaxKeeperFlags && lineage_.flags[i] != nullptr; i++) {
      argv[4 + i] = const_cast<char*>(lineage_.flags[i]);
    }
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
}

// The other threads stay where they are meanwhile: it takes no processor's time, and what the program runs in threads
// of its own begins when it is needed.
static int StandBy(const std::string& title, uv_loop_t* loop) {
  // Without a title ps shows the parent's. Neither call takes a lock.
  if (Show(ShownText::kCommandLine, title).error == 0) NameThread(title);
  const int given = standby.Await();
  Descriptors::ForgetFileEvents(loop);
  return given;
}

static void Reap(pid_t child) {
  while (waitpid(child, nullptr, 0) == -1 && errno == EINTR) {
  }
}

void GiveStandby(int number) { standby.Give(number); }

ForkFailure LiveFork(uv_loop_t* loop, const Lineage& lineage, Forked* forked) {
  // First all that may take a lock.
  const std::set<ino_t> user_pipes = UserPipes();
  Handshake handshake;
  if (!handshake.Open() || (lineage.standby_title != nullptr && !standby.Open())) return {errno, "mmap"};

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
      *forked = {0, 0, lineage.standby_title == nullptr ? 0 : StandBy(*lineage.standby_title, loop)};
      threads.Open();
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
