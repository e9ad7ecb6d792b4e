#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "../shown_text.h"
#include "../user_pipes.h"
#include "between.h"
#include "descriptors.h"
#include "fork.h"
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
static int StandBy(const std::string& title, pid_t giver, uv_loop_t* loop) {
  // Without a title ps shows the parent's. Neither call takes a lock.
  if (Show(ShownText::kCommandLine, title).error == 0) NameThread(title);
  const int given = standby.Await(giver);
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
  Between between(main, lineage, &handshake);
  pid_t child = -1;
  const bool search = error != 0 || !sleepers.AllWhereTheyHeldNothing(&threads, mappings);
  if (error == 0) {
    step = "clone";
    child = between.Fork();
    error = child == -1 ? errno : 0;
    if (child == 0) {
      BecomeProcess(main, loop, search, &handshake);
      *forked = {0, 0, lineage.standby_title == nullptr ? 0 : StandBy(*lineage.standby_title, main.pid, loop)};
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
  if (search) {
    sleepers.Remember(handshake.nothing_held());
    last_search.Swap(&handshake);
  }
  return {0, nullptr};
}

}  // namespace posix_daemon
