#include "owners.h"

#include "arch.h"

namespace posix_daemon {

// pthread_mutex_t, as glibc lays it out on 64-bit machines.
struct Mutex {
  int32_t lock;  // 1: held, 2: held and waited for
  uint32_t count;
  int32_t owner;
  uint32_t users;
  int32_t kind;  // 1: recursive, 2: error-checking
};

// pthread_rwlock_t, likewise. Its unlock takes whoever isn't the writer for a reader.
struct RwLock {
  uint32_t readers;  // 1: in the writers' phase, 2: a writer holds it, 4: readers wait; and their number above
  uint32_t writers;
  uint32_t phase_futex;
  uint32_t writers_futex;
  uint32_t padding[2];
  int32_t writer;
  int32_t shared;
};

constexpr uint32_t kPlausible = 10000;

static bool LooksHeld(const Mutex* mutex) {
  const int32_t kind = mutex->kind & 127;
  return (mutex->lock == 1 || mutex->lock == 2) && mutex->count <= kPlausible && mutex->users >= 1 &&
         mutex->users <= kPlausible && (kind == 1 || kind == 2);
}

static bool LooksHeldForWriting(const RwLock* lock) {
  constexpr uint32_t kHeldByWriter = 3;
  constexpr uint32_t kFutexFlags = 3;
  return (lock->readers & kHeldByWriter) == kHeldByWriter && lock->writers <= kPlausible &&
         lock->phase_futex <= kFutexFlags && lock->writers_futex <= kFutexFlags && lock->padding[0] == 0 &&
         lock->padding[1] == 0 && lock->shared <= 1;
}

// The old tids and the new ones.
class TidMap {
 public:
  TidMap(Threads* threads, pid_t old_main, pid_t new_main)
      : threads_(threads), old_main_(old_main), new_main_(new_main) {
    lowest_ = highest_ = old_main;
    for (size_t i = 0; i < threads->size(); i++) {
      const pid_t tid = (*threads)[i].tid;
      if (tid < lowest_) lowest_ = tid;
      if (tid > highest_) highest_ = tid;
    }
  }
  pid_t lowest() const { return lowest_; }
  pid_t highest() const { return highest_; }
  pid_t new_main() const { return new_main_; }
  pid_t New(pid_t tid) const { return tid == old_main_ ? new_main_ : threads_->NewTid(tid); }

 private:
  Threads* threads_;
  pid_t old_main_;
  pid_t new_main_;
  pid_t lowest_;
  pid_t highest_;
};

template <typename Lock>
static Lock* Around(uint32_t* word, size_t offset, uintptr_t start, uintptr_t end) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(word) - offset;
  const bool fits = address % alignof(uint64_t) == 0 && address >= start && address + sizeof(Lock) <= end;
  return fits ? reinterpret_cast<Lock*>(address) : nullptr;
}

// Gives the word its new tid if it is the owner's in a lock that is held. True when another thread than the main one
// holds it.
static bool RepairAt(uint32_t* word, uintptr_t start, uintptr_t end, const TidMap& tids) {
  const auto* mutex = Around<Mutex>(word, offsetof(Mutex, owner), start, end);
  const auto* lock = Around<RwLock>(word, offsetof(RwLock, writer), start, end);
  const bool held = (mutex != nullptr && LooksHeld(mutex)) || (lock != nullptr && LooksHeldForWriting(lock));
  const pid_t tid = held ? tids.New(static_cast<pid_t>(*word)) : 0;
  if (tid == 0) return false;
  *word = static_cast<uint32_t>(tid);
  return tid != tids.new_main();
}

// The tids of a process are neighbours: one comparison of four words at a time passes over nearly all of the heap.
static bool RepairIn(uintptr_t start, uintptr_t end, const TidMap& tids) {
  bool found = false;
  using Words = uint32_t __attribute__((vector_size(16)));
  using Halves = uint64_t __attribute__((vector_size(16)));
  constexpr int kAtOnce = 4;
  const auto low = static_cast<uint32_t>(tids.lowest());
  const uint32_t width = static_cast<uint32_t>(tids.highest()) - low;
  const Words lows = {low, low, low, low};
  const Words widths = {width, width, width, width};
  const auto* last = reinterpret_cast<const Words*>(end) - kAtOnce;
  for (auto* at = reinterpret_cast<Words*>(start); at <= last; at += kAtOnce) {
    const Words hits =
        reinterpret_cast<Words>(at[0] - lows <= widths) | reinterpret_cast<Words>(at[1] - lows <= widths) |
        reinterpret_cast<Words>(at[2] - lows <= widths) | reinterpret_cast<Words>(at[3] - lows <= widths);
    const auto halves = reinterpret_cast<Halves>(hits);
    if (__builtin_expect((halves[0] | halves[1]) == 0, 1)) continue;
    auto* words = reinterpret_cast<uint32_t*>(at);
    for (int i = 0; i < kAtOnce * 4; i++) {
      if (words[i] - low <= width) found = RepairAt(words + i, start, end, tids) || found;
    }
  }
  return found;
}

// Where a mutex can be: data of modules, and what malloc hands out. Not stacks (8 MiB each, a mutex there is private to
// its thread), not V8's heap, not the large blocks of Buffers.
static bool MayHoldMutexes(const Mapping& mapping, const Mapping* previous) {
  if (!mapping.readable || !mapping.writable || mapping.shared || mapping.excluded) return false;
  constexpr size_t kArenaAlignment = 64 << 20;
  constexpr size_t kSmall = 1 << 20;
  switch (mapping.kind) {
    case MappingKind::kHeap:
    case MappingKind::kFile:
      return true;
    case MappingKind::kAnonymous:
      return mapping.start % kArenaAlignment == 0 || mapping.size() < kSmall ||
             (previous != nullptr && previous->end == mapping.start && previous->kind == MappingKind::kFile);
    default:
      return false;
  }
}

// The word of a futex is mapped, or the call would have failed; a mutex may end on the next page, which need not be.
static bool IsMapped(const Mutex* mutex) {
  constexpr uintptr_t kPage = 4096;
  const uintptr_t last = reinterpret_cast<uintptr_t>(mutex + 1) - 1;
  if (last / kPage == reinterpret_cast<uintptr_t>(mutex) / kPage) return true;
  unsigned char resident;
  return mincore(reinterpret_cast<void*>(last / kPage * kPage), 1, &resident) == 0;
}

// A thread asleep in pthread_mutex_lock has read its tid before and stores it as the owner when it gets the mutex.
// Which register, or which word of the few frames that are open, depends on how the C library was compiled; what it is
// for doesn't: in these frames an old tid is nothing but that.
static bool RepairWaiter(Thread* thread) {
  ucontext_t* context = thread->context;
  if (!IsSyscallInstruction(InstructionPointer(context)) || SyscallToMake(context) != __NR_futex) return false;
  const auto* mutex = reinterpret_cast<const Mutex*>(FirstArgument(context));
  // The futex of a condition variable or a semaphore isn't a mutex, and what follows it doesn't look like one.
  if (!IsMapped(mutex) || !LooksHeld(mutex)) return false;
  const auto old_tid = static_cast<uint32_t>(thread->tid);
  const auto new_tid = static_cast<uint32_t>(*thread->tid_address);
  EachRegister(context, [&](uint64_t* value) {
    if (*value == old_tid) *value = new_tid;
  });
  constexpr int kFramesBytes = 256;
  auto* stack = reinterpret_cast<uint32_t*>(StackPointer(context));
  for (size_t i = 0; i < kFramesBytes / sizeof(uint32_t); i++) {
    if (stack[i] == old_tid) stack[i] = new_tid;
  }
  return true;
}

bool RepairMutexOwners(const RawVector<Mapping>& mappings, Threads* threads, pid_t old_main, pid_t new_main) {
  const TidMap tids(threads, old_main, new_main);
  bool found = false;
  for (size_t i = 0; i < mappings.size(); i++) {
    const Mapping* previous = i > 0 ? &mappings[i - 1] : nullptr;
    if (!MayHoldMutexes(mappings[i], previous)) continue;
    found = RepairIn(mappings[i].start, mappings[i].end, tids) || found;
  }
  for (size_t i = 0; i < threads->size(); i++) {
    Thread& thread = (*threads)[i];
    if (thread.state.load(std::memory_order_relaxed) != ThreadState::kParked) continue;
    found = RepairWaiter(&thread) || found;
  }
  return !found;
}

}  // namespace posix_daemon
