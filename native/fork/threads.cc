#include "threads.h"

#include <dlfcn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "arch.h"
#include "raw.h"
#include "rest.h"

namespace posix_daemon {

// glibc's SIGSETXID. The only signal that reaches threads which block "all" signals, as Node's signal inspector does:
// the C library takes it out of every mask.
constexpr int kParkSignal = 33;

constexpr size_t kMaxThreads = 16384;

// A thread that is busy is asked again after this long…
constexpr int64_t kRetryNs = 100'000;
// …so often, until less is demanded of it (see Demand), and so often until it is taken as it is.
constexpr int kRetriesAsleep = 20;
constexpr int kRetriesOutsideLibc = 300;

// A thread in an uninterruptible call (a stalled disk, a vfork) can't answer, one that gets no processor is slow to.
// Then the whole process stands still, so this is the longest that a fork may take; on a busy machine 2 s were too
// short.
constexpr int64_t kAnswerTimeoutNs = 10'000'000'000;

// The kernel's sigaction, which the C library's doesn't let near its own signal.
struct KernelSigaction {
  void (*handler)(int, siginfo_t*, void*);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};
constexpr unsigned long kSaRestorer = 0x04000000;

// Fixed, because handlers read it while the list still grows. Pages that aren't used cost nothing.
static Thread* table;
static std::atomic<int> table_size;

// Each call of Park is a round; a parked thread waits until its round is released.
static std::atomic<int> round;
static std::atomic<int> released_round;
static std::atomic<Demand> demand;
static std::atomic<int> unanswered;

static std::atomic<int> arrived;
static std::atomic<int> gate;

static KernelSigaction previous_action;
static bool handler_installed;

static long RtSigaction(const KernelSigaction* action, KernelSigaction* old) {
  return syscall(SYS_rt_sigaction, kParkSignal, action, old, sizeof(uint64_t));
}

static bool Known(pid_t tid) {
  const int size = table_size.load(std::memory_order_acquire);
  for (int i = 0; i < size; i++) {
    if (table[i].tid == tid && table[i].state.load(std::memory_order_acquire) != ThreadState::kGone) return true;
  }
  return false;
}

static void Answer(Thread* self, ThreadState state) {
  self->state.store(state, std::memory_order_release);
  if (unanswered.fetch_sub(1, std::memory_order_acq_rel) == 1) FutexWakeAll(&unanswered, false);
}

static void Describe(Thread* self, ucontext_t* context) {
  self->context = context;
  self->thread_pointer = __builtin_thread_pointer();
  syscall(SYS_prctl, PR_GET_TID_ADDRESS, &self->tid_address, 0, 0, 0);
  syscall(SYS_get_robust_list, 0, &self->robust_list, &self->robust_list_size);
  syscall(SYS_prctl, PR_GET_NAME, self->name, 0, 0, 0);
  ReadPlacement(&self->placement);
}

static void WaitForRelease(int mine) {
  for (;;) {
    const int last = released_round.load(std::memory_order_acquire);
    if (last - mine >= 0) return;
    FutexWait(&released_round, last, -1, false);
  }
}

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

// What a thread does first in the child. The kernel made it as a copy of the main thread in all that isn't memory.
static void Arrive(Thread* self) {
  syscall(SYS_set_robust_list, self->robust_list, self->robust_list_size);
  RegisterRseq();
  syscall(SYS_prctl, PR_SET_NAME, self->name, 0, 0, 0);
  RestorePlacement(self->placement);
  arrived.fetch_add(1, std::memory_order_acq_rel);
  FutexWakeAll(&arrived, false);
  while (gate.load(std::memory_order_acquire) == 0) FutexWait(&gate, 0, -1, false);
}

// Called by posix_daemon_park, when the stack pointer has been stored: only now may the main thread count on this one.
static void ParkedWait(void* thread) {
  const int mine = round.load(std::memory_order_acquire);
  Answer(static_cast<Thread*>(thread), ThreadState::kParked);
  WaitForRelease(mine);
}

static void OnParkSignal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  auto* self = static_cast<Thread*>(info->si_value.sival_ptr);
  const bool ours = info->si_code == SI_QUEUE && self >= table && self < table + kMaxThreads;
  if (!ours) {
    // The C library's own: a setuid() in a native thread, which it tells every thread by this signal.
    if (reinterpret_cast<uintptr_t>(previous_action.handler) > 1) previous_action.handler(signal, info, context);
  } else if (self->tid == RawGettid() && self->state.load(std::memory_order_acquire) == ThreadState::kAsked) {
    // (Otherwise it belongs to a round that was given up and arrives late.)
    auto* interrupted = static_cast<ucontext_t*>(context);
    if (!AtRest(interrupted, demand.load(std::memory_order_acquire))) {
      Answer(self, ThreadState::kBusy);
    } else {
      Describe(self, interrupted);
      if (posix_daemon_park(&self->stack_pointer, ParkedWait, self) == 1) Arrive(self);
    }
  }
  errno = saved_errno;
}

static int InstallHandler() {
  if (handler_installed) return 0;
  // SA_ONSTACK: a thread with an alternate stack may be near the end of its own (Go's are tiny).
  const KernelSigaction action = {OnParkSignal, SA_SIGINFO | SA_RESTART | SA_ONSTACK | kSaRestorer,
                                  posix_daemon_sigreturn, ~0ULL};
  if (RtSigaction(&action, &previous_action) == -1) return errno;
  handler_installed = true;
  return 0;
}

static void RemoveHandler() {
  RtSigaction(&previous_action, nullptr);
  handler_installed = false;
}

// Queued with a value of our own, by which the handler knows it from the C library's.
static int Ask(Thread* thread) {
  siginfo_t info = {};
  info.si_signo = kParkSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_value.sival_ptr = thread;
  thread->state.store(ThreadState::kAsked, std::memory_order_release);
  unanswered.fetch_add(1, std::memory_order_acq_rel);
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread->tid, kParkSignal, &info) == 0) return 0;
  const int error = errno;
  unanswered.fetch_sub(1, std::memory_order_acq_rel);
  thread->state.store(ThreadState::kGone, std::memory_order_release);
  return error == ESRCH ? 0 : error;
}

// Adds the threads that aren't in the table yet, and notes which of those asked have ended. Returns an errno.
static int List() {
  static RawVector<pid_t> present;
  present.Clear();
  const pid_t self = RawGettid();
  if (!EachNumericEntry("/proc/self/task", [&](int tid) { present.Push(tid); })) return errno;
  if (!present.ok()) return ENOMEM;
  int size = table_size.load(std::memory_order_relaxed);
  for (int i = 0; i < size; i++) {
    if (table[i].state.load(std::memory_order_acquire) != ThreadState::kAsked) continue;
    bool listed = false;
    for (const pid_t tid : present) listed = listed || tid == table[i].tid;
    // It ended with the signal pending. Exchanged, because it may have answered since it was looked at.
    ThreadState asked = ThreadState::kAsked;
    if (!listed && table[i].state.compare_exchange_strong(asked, ThreadState::kGone)) unanswered.fetch_sub(1);
  }
  for (const pid_t tid : present) {
    if (tid == self || Known(tid)) continue;
    if (size == static_cast<int>(kMaxThreads)) return EAGAIN;
    table[size].tid = tid;
    table[size].state.store(ThreadState::kBusy, std::memory_order_relaxed);
    table_size.store(++size, std::memory_order_release);
  }
  return 0;
}

// PF_IO_WORKER of the flags in /proc/self/task/TID/stat, which stand seventh behind the name.
static bool IsKernelThread(pid_t tid) {
  constexpr uint64_t kIoWorker = 0x10;
  char folder[48] = "/proc/self/task/";
  AppendNumber(folder, static_cast<unsigned>(tid));
  const int task = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (task == -1) return false;
  uint64_t flags = 0;
  EachLine(openat(task, "stat", O_RDONLY | O_CLOEXEC), [&](const char* line) {
    const char* at = strrchr(line, ')');
    for (int spaces = 0; at != nullptr && spaces < 7; spaces++) at = strchr(at + 1, ' ');
    if (at != nullptr) ParseNumber(&++at, 10, &flags);
  });
  close(task);
  return (flags & kIoWorker) != 0;
}

// Leaves out the threads that don't answer because they never do.
static void DropKernelThreads() {
  for (int i = 0; i < table_size.load(std::memory_order_relaxed); i++) {
    if (table[i].state.load(std::memory_order_acquire) != ThreadState::kAsked || !IsKernelThread(table[i].tid))
      continue;
    table[i].state.store(ThreadState::kKernel, std::memory_order_relaxed);
    unanswered.fetch_sub(1);
  }
}

// Waits until every thread that was asked has answered or ended. Returns an errno.
static int AwaitAnswers(int64_t deadline) {
  constexpr int64_t kLookAgainNs = 5'000'000;
  for (;;) {
    const int left = unanswered.load(std::memory_order_acquire);
    if (left == 0) return 0;
    if (MonotonicNs() > deadline) return EAGAIN;
    // An end isn't told to anyone: hence the look at the list from time to time.
    if (!FutexWait(&unanswered, left, kLookAgainNs, false)) {
      const int error = List();
      if (error != 0) return error;
      DropKernelThreads();
    }
  }
}

static int ParkAll() {
  const int64_t deadline = MonotonicNs() + kAnswerTimeoutNs;
  for (int attempt = 0;; attempt++) {
    int error = List();
    if (error != 0) return error;
    demand.store(attempt < kRetriesAsleep        ? Demand::kAsleep
                 : attempt < kRetriesOutsideLibc ? Demand::kOutsideLibc
                                                 : Demand::kNothing,
                 std::memory_order_release);
    const int size = table_size.load(std::memory_order_relaxed);
    bool asked = false;
    for (int i = 0; i < size; i++) {
      if (table[i].state.load(std::memory_order_acquire) != ThreadState::kBusy) continue;
      asked = true;
      if ((error = Ask(&table[i])) != 0) return error;
    }
    // Only a list made when everybody in it was parked already tells that there is nobody else.
    if (!asked) return 0;
    if ((error = AwaitAnswers(deadline)) != 0) return error;
    bool busy = false;
    for (int i = 0; i < size; i++) busy = busy || table[i].state.load(std::memory_order_acquire) == ThreadState::kBusy;
    if (busy) {
      std::atomic<int> nobody_wakes_it{0};
      FutexWait(&nobody_wakes_it, 0, kRetryNs, false);
    }
  }
}

int Threads::Park() {
  if (table == nullptr) {
    void* memory = mmap(nullptr, kMaxThreads * sizeof(Thread), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return errno;
    table = static_cast<Thread*>(memory);
  }
  LearnLibcText();
  NoteMainPlacement();
  table_size.store(0, std::memory_order_relaxed);
  unanswered.store(0, std::memory_order_relaxed);
  round.fetch_add(1, std::memory_order_acq_rel);
  int error = InstallHandler();
  if (error != 0) return error;
  error = ParkAll();
  if (error == 0) {
    RemoveHandler();
    return 0;
  }
  // The handler stays: a signal that is still pending would otherwise meet the C library's, which expects its own. It
  // is not an answer to the next round.
  for (size_t i = 0; i < size(); i++) {
    ThreadState asked = ThreadState::kAsked;
    table[i].state.compare_exchange_strong(asked, ThreadState::kGone);
  }
  Release();
  return error;
}

void Threads::Release() {
  released_round.store(round.load(std::memory_order_relaxed), std::memory_order_release);
  FutexWakeAll(&released_round, false);
}

int Threads::Respawn() {
  arrived.store(0, std::memory_order_relaxed);
  gate.store(0, std::memory_order_relaxed);
  constexpr unsigned long kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                   CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  for (size_t i = 0; i < size(); i++) {
    const Thread& thread = table[i];
    if (thread.state.load(std::memory_order_relaxed) != ThreadState::kParked) continue;
    const long tid = posix_daemon_respawn(kFlags, thread.stack_pointer, thread.tid_address, thread.tid_address,
                                          thread.thread_pointer);
    if (tid < 0) return static_cast<int>(-tid);
  }
  return 0;
}

void Threads::Open() {
  // Not before all have arrived: the tid in each one's descriptor is what the others are to see.
  int parked = 0;
  for (size_t i = 0; i < size(); i++) parked += table[i].state.load(std::memory_order_relaxed) == ThreadState::kParked;
  for (int here; (here = arrived.load(std::memory_order_acquire)) < parked;) FutexWait(&arrived, here, -1, false);
  gate.store(1, std::memory_order_release);
  FutexWakeAll(&gate, false);
}

size_t Threads::size() const { return static_cast<size_t>(table_size.load(std::memory_order_relaxed)); }

Thread& Threads::operator[](size_t i) { return table[i]; }

pid_t Threads::NewTid(pid_t tid) const {
  for (size_t i = 0; i < size(); i++) {
    if (table[i].tid == tid && table[i].state.load(std::memory_order_relaxed) == ThreadState::kParked) {
      return *table[i].tid_address;
    }
  }
  return 0;
}

}  // namespace posix_daemon
