#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "../random_stores.h"
#include "../shown_text.h"
#include "../user_pipes.h"
#include "between.h"
#include "descriptors.h"
#include "file_watches.h"
#include "fork.h"
#include "lock_owners.h"
#include "mappings.h"
#include "raw.h"
#include "standby.h"
#include "threads.h"
#include "v8_memory.h"

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

// Kept between forks, for their buffers and what V8Memory has learned. Statics of the addon: one main thread, one user.
static Threads threads;
static V8Memory v8_memory;
static Descriptors descriptors;
static RawVector<Mapping> mappings;
static LockOwners lock_owners;
static Standby standby;

// Parks the threads at a moment when none holds a lock that keeps its tid, and when the descriptors can be noted.
static ForkFailure Freeze(const uv_loop_t* loop, const std::set<ino_t>& user_pipes) {
  constexpr int64_t kShortestPauseNs = 100'000;
  constexpr int64_t kLongestPauseNs = 2'000'000;
  constexpr int64_t kDescriptorsBusyNs = 1'000'000'000;
  const int64_t begin = MonotonicNs();
  lock_owners.Begin();
  int error = threads.Prepare();
  if (error != 0) return {error, "park"};
  for (int64_t pause = kShortestPauseNs;; pause = std::min(pause * 2, kLongestPauseNs)) {
    error = threads.Park();
    if (error != 0) return {error, "park"};
    const char* step = "memory";
    error = ReadMappings(&mappings);
    LockOwners::Verdict locks = LockOwners::Verdict::kFork;
    if (error == 0) {
      step = "locks";
      locks = lock_owners.Look(threads, mappings);
      if (locks == LockOwners::Verdict::kRefuse) error = EAGAIN;
    }
    const bool survey = error == 0 && locks == LockOwners::Verdict::kFork;
    if (survey) {
      error = descriptors.Survey(loop, user_pipes);
      if (error == 0) error = descriptors.FindRings(mappings);
      step = descriptors.subject();
      if (error == 0) return {0, nullptr};
      descriptors.Finish();
      if (error == EBUSY && MonotonicNs() - begin >= kDescriptorsBusyNs) error = EAGAIN;
    }
    threads.Release();
    if (error != 0 && error != EBUSY) return {error, step};
    Pause(pause);
  }
}

// Makes the copy that clone left, one thread and the parent's kernel objects, into a process of its own.
static void BecomeProcess(const MainThread& main, Handshake* handshake) {
  syscall(SYS_set_robust_list, main.robust_list, main.robust_list_size);
  int error = v8_memory.IsComplete() ? 0 : kRepeatFork;
  if (error == 0) error = threads.Respawn();
  if (error == 0) error = descriptors.Replace();
  handshake->Tell(error);
  if (error != 0) syscall(SYS_exit_group, 1);
  v8_memory.Exclude();
  lock_owners.Repair(threads);
}

// The other threads stay where they are meanwhile: it takes no processor's time, and what the program runs in threads
// of its own begins when it is needed.
static int StandBy(const std::string& title, pid_t giver) {
  // Without a title ps shows the parent's. Neither call takes a lock.
  if (Show(ShownText::kCommandLine, title).error == 0) NameThread(title);
  return standby.Await(giver);
}

static void Reap(pid_t child) {
  while (waitpid(child, nullptr, 0) == -1 && errno == EINTR) {
  }
}

void GiveStandby(int number) { standby.Give(number); }

static ForkFailure ForkOnce(uv_loop_t* loop, const Lineage& lineage, Forked* forked) {
  // First all that may take a lock.
  const std::set<ino_t> user_pipes = UserPipes();
  Handshake handshake;
  if (!handshake.Open() || (lineage.standby_title != nullptr && !standby.Open())) return {errno, "mmap"};

  const SignalsBlocked signals_blocked;
  const MainThread main;
  const ForkFailure frozen = Freeze(loop, user_pipes);
  if (frozen.error != 0) return frozen;

  const char* step = "memory";
  int error = v8_memory.Include(mappings);
  Between between(main, lineage, &handshake);
  pid_t child = -1;
  if (error == 0) {
    step = "clone";
    child = between.Fork();
    error = child == -1 ? errno : 0;
    if (child == 0) {
      BecomeProcess(main, &handshake);
      *forked = {0, 0, lineage.standby_title == nullptr ? 0 : StandBy(*lineage.standby_title, main.pid)};
      RenewRandomStores();
      threads.Open();
      const Descriptors::Watches left = descriptors.WatchesLeft(loop);
      const bool restarted = left != Descriptors::Watches::kAllLost && RestartFileWatches(loop);
      forked->watches_lost = left != Descriptors::Watches::kNoneLost || !restarted;
      return {0, nullptr};
    }
    v8_memory.Exclude();
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
  between.AwaitDeparture(child);
  if (handshake.exec_error() != 0) {
    Reap(child);
    // Killed with its keeper, it has come to this process, or further up.
    Reap(*handshake.second());
    return {handshake.exec_error(), "execve"};
  }
  if (error != 0) {
    Reap(awaited);
    return {error, "child"};
  }
  *forked = lineage.kind == Lineage::kChild ? Forked{child, 0} : Forked{*handshake.second(), child};
  return {0, nullptr};
}

ForkFailure LiveFork(uv_loop_t* loop, const Lineage& lineage, Forked* forked) {
  constexpr int kAttempts = 5;
  ForkFailure failure = {};
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    failure = ForkOnce(loop, lineage, forked);
    if (failure.error != kRepeatFork) return failure;
    v8_memory.Forget();
  }
  return {EAGAIN, failure.step};
}

}  // namespace posix_daemon
