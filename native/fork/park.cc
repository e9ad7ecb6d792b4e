// Stopping the other threads, and letting them go on.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "arch.h"
#include "raw.h"
#include "safe_point.h"
#include "threads.h"

namespace posix_daemon {

// glibc's SIGSETXID. The only signal that reaches threads which block "all" signals, as Node's signal inspector does:
// the C library takes it out of every mask.
constexpr int kParkSignal = 33;

constexpr size_t kMaxThreads = 16384;

// A thread that is busy is asked again after this long.
constexpr int64_t kRetryNs = 100'000;

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
// How many of the table are kAsked or kAnswering. Whoever changes that state counts it.
static std::atomic<int> unanswered;

static RawVector<pid_t> listed;
static KernelSigaction previous_action;

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

// For a thread that doesn't answer any more; false if it has begun to.
static bool AnswerFor(Thread* thread, ThreadState state) {
  ThreadState asked = ThreadState::kAsked;
  if (!thread->state.compare_exchange_strong(asked, state)) return false;
  unanswered.fetch_sub(1);
  return true;
}

static void Describe(Thread* self, ucontext_t* context) {
  self->context = context;
  self->thread_pointer = __builtin_thread_pointer();
  syscall(SYS_prctl, PR_GET_TID_ADDRESS, &self->tid_address, 0, 0, 0);
  syscall(SYS_get_robust_list, 0, &self->robust_list, &self->robust_list_size);
  syscall(SYS_prctl, PR_GET_NAME, self->name, 0, 0, 0);
  ReadPlacement(&self->placement);
}

// Called by posix_daemon_park, when the stack pointer has been stored: only now may the main thread count on this one.
static void ParkedWait(void* thread) {
  auto* self = static_cast<Thread*>(thread);
  const int mine = self->round;
  Answer(self, ThreadState::kParked);
  for (;;) {
    const int last = released_round.load(std::memory_order_acquire);
    if (last - mine >= 0) return;
    FutexWait(&released_round, last, -1, false);
  }
}

// What comes with the signal: a row of the table, and the round, by which one that comes late is known.
constexpr int kRowBits = 16;
static_assert(kMaxThreads <= size_t{1} << kRowBits, "a row fits");

static void* ValueOf(const Thread* thread) {
  const auto row = static_cast<uintptr_t>(thread - table);
  return reinterpret_cast<void*>(row | static_cast<uintptr_t>(static_cast<uint32_t>(thread->round)) << kRowBits);
}

static void OnParkSignal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (info->si_code != SI_QUEUE) {
    // The C library's own: a setuid() in a native thread, which it passes on to every thread by this signal.
    if (reinterpret_cast<uintptr_t>(previous_action.handler) > 1) previous_action.handler(signal, info, context);
    errno = saved_errno;
    return;
  }
  const auto value = reinterpret_cast<uintptr_t>(info->si_value.sival_ptr);
  Thread* self = table + (value & ((1 << kRowBits) - 1)) % kMaxThreads;
  ThreadState asked = ThreadState::kAsked;
  if (self->tid == RawGettid() && ValueOf(self) == info->si_value.sival_ptr &&
      self->state.compare_exchange_strong(asked, ThreadState::kAnswering)) {
    auto* interrupted = static_cast<ucontext_t*>(context);
    if (!AtSafePoint(interrupted, self->tid)) {
      Answer(self, ThreadState::kBusy);
    } else {
      Describe(self, interrupted);
      if (posix_daemon_park(&self->stack_pointer, ParkedWait, self) == 1) Arrive(*self);
    }
  }
  errno = saved_errno;
}

static int InstallHandler() {
  // SA_ONSTACK: a thread with an alternate stack may be near the end of its own (Go's are tiny).
  const KernelSigaction action = {OnParkSignal, SA_SIGINFO | SA_RESTART | SA_ONSTACK | kSaRestorer,
                                  posix_daemon_sigreturn, ~0ULL};
  KernelSigaction old;
  if (RtSigaction(&action, &old) == -1) return errno;
  // It is there still after a round that was given up.
  if (old.handler != OnParkSignal) previous_action = old;
  return 0;
}

// Queued with a value of our own, by which the handler knows it from the C library's.
static int Ask(Thread* thread) {
  thread->round = round.load(std::memory_order_relaxed);
  siginfo_t info = {};
  info.si_signo = kParkSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_value.sival_ptr = ValueOf(thread);
  unanswered.fetch_add(1, std::memory_order_acq_rel);
  thread->state.store(ThreadState::kAsked, std::memory_order_release);
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread->tid, kParkSignal, &info) == 0) return 0;
  const int error = errno;
  AnswerFor(thread, ThreadState::kGone);
  return error == ESRCH ? 0 : error;
}

// Adds the threads that aren't in the table yet, and notes which of those asked have ended. Returns an errno.
static int List() {
  listed.Clear();
  const pid_t self = RawGettid();
  if (!EachNumericEntry("/proc/self/task", [&](int tid) { listed.Push(tid); })) return errno;
  if (!listed.ok()) return ENOMEM;
  int size = table_size.load(std::memory_order_relaxed);
  for (int i = 0; i < size; i++) {
    if (table[i].state.load(std::memory_order_acquire) != ThreadState::kAsked) continue;
    bool present = false;
    for (const pid_t tid : listed) present = present || tid == table[i].tid;
    // It ended with the signal pending.
    if (!present) AnswerFor(&table[i], ThreadState::kGone);
  }
  for (const pid_t tid : listed) {
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
    AnswerFor(&table[i], ThreadState::kKernel);
  }
}

// Waits until every thread that was asked has answered or ended. Returns an errno.
static int AwaitAnswers(int64_t deadline) {
  constexpr int64_t kLookAgainNs = 2'000'000;
  for (;;) {
    const int left = unanswered.load(std::memory_order_acquire);
    if (left == 0) return 0;
    if (MonotonicNs() > deadline) return EAGAIN;
    // An end isn't reported to anyone: hence the look at the list from time to time.
    if (!FutexWait(&unanswered, left, kLookAgainNs, false)) {
      const int error = List();
      if (error != 0) return error;
      DropKernelThreads();
    }
  }
}

static int ParkAll() {
  const int64_t deadline = MonotonicNs() + kAnswerTimeoutNs;
  for (;;) {
    int error = List();
    if (error != 0) return error;
    const int size = table_size.load(std::memory_order_relaxed);
    bool asked = false;
    for (int i = 0; i < size; i++) {
      if (table[i].state.load(std::memory_order_acquire) != ThreadState::kBusy) continue;
      asked = true;
      if ((error = Ask(&table[i])) != 0) return error;
    }
    // Only a list made when everybody in it was parked already proves that there is nobody else.
    if (!asked) return 0;
    if ((error = AwaitAnswers(deadline)) != 0) return error;
    bool busy = false;
    for (int i = 0; i < size; i++) busy = busy || table[i].state.load(std::memory_order_acquire) == ThreadState::kBusy;
    if (busy) Pause(kRetryNs);
  }
}

int Threads::Prepare() {
  if (table == nullptr) {
    void* memory = mmap(nullptr, kMaxThreads * sizeof(Thread), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return errno;
    table = static_cast<Thread*>(memory);
  }
  LearnLibcText();
  NoteMainPlacement();
  return 0;
}

int Threads::Park() {
  table_size.store(0, std::memory_order_relaxed);
  round.fetch_add(1, std::memory_order_acq_rel);
  int error = InstallHandler();
  if (error != 0) return error;
  error = ParkAll();
  if (error == 0) {
    RtSigaction(&previous_action, nullptr);
  } else {
    GiveUp();
  }
  return error;
}

// The handler stays: a signal that is still pending would otherwise end the process, where nobody else handles it.
void Threads::GiveUp() {
  for (size_t i = 0; i < size(); i++) AnswerFor(&table[i], ThreadState::kGone);
  Release();
  // The others are in the handler, and the table is theirs until they have answered.
  for (int left; (left = unanswered.load(std::memory_order_acquire)) != 0;) FutexWait(&unanswered, left, -1, false);
}

void Threads::Release() {
  released_round.store(round.load(std::memory_order_relaxed), std::memory_order_release);
  FutexWakeAll(&released_round, false);
}

size_t Threads::size() const { return static_cast<size_t>(table_size.load(std::memory_order_relaxed)); }

const Thread& Threads::operator[](size_t i) const { return table[i]; }

}  // namespace posix_daemon
