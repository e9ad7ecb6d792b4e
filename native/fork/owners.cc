#include "owners.h"

#include "arch.h"

namespace posix_daemon {

// pthread_mutex_t, as glibc lays it out on 64-bit machines.
struct Mutex {
  uint32_t lock;  // 1: held, 2: held and waited for
  uint32_t count;
  int32_t owner;
  uint32_t users;
  uint32_t kind;  // 1: recursive, 2: error-checking
  int16_t spins;
  int16_t elision;
  uint64_t robust_list[2];
};
static_assert(sizeof(Mutex) == 40, "as in bits/struct_mutex.h");

// pthread_rwlock_t. Its unlock takes whoever isn't the writer for a reader.
struct RwLock {
  uint32_t readers;  // 1: in the writers' phase, 2: a writer holds it, 4: readers wait; and their number above
  uint32_t writers;
  uint32_t phase_futex;
  uint32_t writers_futex;
  uint32_t padding[2];
  int32_t writer;
  uint32_t shared;
  uint64_t elision;
  uint64_t more_padding;
  uint32_t flags;
  uint32_t end_padding;
};
static_assert(sizeof(RwLock) == 56, "as in bits/struct_rwlock.h");

static bool LooksHeld(const Mutex& mutex) {
  constexpr uint32_t kDeepest = 1000;
  const bool recursive = mutex.kind == 1 && mutex.count >= 1 && mutex.count <= kDeepest;
  const bool error_checking = mutex.kind == 2 && mutex.count <= 1;
  return (mutex.lock == 1 || mutex.lock == 2) && mutex.users == 1 && (recursive || error_checking) &&
         mutex.elision == 0 && mutex.robust_list[0] == 0 && mutex.robust_list[1] == 0;
}

static bool LooksHeld(const RwLock& lock) {
  constexpr uint32_t kHeldByWriter = 3;
  constexpr uint32_t kWaitedFor = 2;
  constexpr uint32_t kMost = 100000;
  return (lock.readers & kHeldByWriter) == kHeldByWriter && lock.readers <= kMost && lock.writers <= kMost &&
         (lock.phase_futex & ~kWaitedFor) == 1 && (lock.writers_futex & ~kWaitedFor) == 1 && lock.padding[0] == 0 &&
         lock.padding[1] == 0 && lock.shared <= 1 && lock.elision == 0 && lock.more_padding == 0 && lock.flags <= 2;
}

// A thread that may own locks: by its tid before the fork and after, and its stack.
struct Owner {
  pid_t old_tid;
  pid_t new_tid;
  uintptr_t stack_pointer;
  uintptr_t stack_end;
  ucontext_t* context;  // none for the main thread, which isn't in a signal handler
};

enum class Contents { kNoLocks, kHeap, kModuleData };

// Not stacks (8 MiB each; a lock there is its thread's own affair), not V8's heap, not the large blocks of Buffers.
static Contents ContentsOf(const Mapping& mapping, const Mapping* previous) {
  if (!mapping.readable || !mapping.writable || mapping.shared || mapping.excluded) return Contents::kNoLocks;
  constexpr size_t kArenaAlignment = 64 << 20;
  constexpr size_t kSmall = 1 << 20;
  switch (mapping.kind) {
    case MappingKind::kFile:
      return Contents::kModuleData;
    case MappingKind::kHeap:
      return Contents::kHeap;
    case MappingKind::kAnonymous:
      // Zeroed data of a module follows what comes from its file.
      if (previous != nullptr && previous->end == mapping.start && previous->kind == MappingKind::kFile) {
        return Contents::kModuleData;
      }
      return mapping.start % kArenaAlignment == 0 || mapping.size() < kSmall ? Contents::kHeap : Contents::kNoLocks;
    default:
      return Contents::kNoLocks;
  }
}

// In a container the tids are small numbers, which are everywhere: what looks like a held lock may be an array of
// integers. Who holds a lock in the heap is going to unlock it, so a way to it leads from a register of that thread or
// from its stack: the lock's address, or that of the object it is a part of, or of one that points to that object (V8's
// SafepointScope, itself on the heap, to the IsolateSafepoint in which the lock is).
class References {
 public:
  References(const RawVector<Mapping>& mappings, const Owner& owner, uintptr_t lock)
      : mappings_(mappings),
        lock_(lock),
        // A thread with next to nothing on its stack waits in its own loop, for work: it would have to know the lock.
        reach_(owner.stack_end - owner.stack_pointer < kShallow ? 1 : kLargestObject) {
    if (owner.context != nullptr) EachRegister(owner.context, [&](const uint64_t* value) { Look(*value); });
    for (uintptr_t at = owner.stack_pointer & ~uintptr_t{7}; at < owner.stack_end && !found_; at += sizeof(uint64_t)) {
      Look(*reinterpret_cast<const uint64_t*>(at));
    }
  }
  bool found() const { return found_; }

 private:
  // V8's locks are parts of its Isolate, of some 60 KiB.
  static constexpr uintptr_t kLargestObject = 128 << 10;
  static constexpr uintptr_t kShallow = 2048;
  static constexpr uintptr_t kPointerWithin = 256;

  bool LeadsTo(uint64_t word) const { return lock_ - word < reach_; }

  void Look(uint64_t word) {
    found_ = found_ || LeadsTo(word);
    if (found_ || reach_ == 1 || word % sizeof(uint64_t) != 0) return;
    const uintptr_t end = EndOfHeapAt(word);
    for (uintptr_t at = word; at < end && at < word + kPointerWithin; at += sizeof(uint64_t)) {
      found_ = found_ || LeadsTo(*reinterpret_cast<const uint64_t*>(at));
    }
  }

  uintptr_t EndOfHeapAt(uintptr_t address) const {
    for (size_t i = 0; i < mappings_.size(); i++) {
      const Mapping& mapping = mappings_[i];
      if (address < mapping.start || address >= mapping.end) continue;
      return ContentsOf(mapping, i > 0 ? &mappings_[i - 1] : nullptr) == Contents::kHeap ? mapping.end : 0;
    }
    return 0;
  }

  const RawVector<Mapping>& mappings_;
  const uintptr_t lock_;
  const uintptr_t reach_;
  bool found_ = false;
};

class Repair {
 public:
  Repair(const RawVector<Mapping>& mappings, Threads* threads, pid_t old_main, pid_t new_main) : mappings_(mappings) {
    const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    Add({old_main, new_main, here, StackEnd(mappings, here), nullptr});
    for (size_t i = 0; i < threads->size(); i++) {
      const Thread& thread = (*threads)[i];
      if (thread.state.load(std::memory_order_relaxed) != ThreadState::kParked) continue;
      const uintptr_t stack_pointer = StackPointer(thread.context);
      // Its descriptor lies above its stack. One that has changed its stack (a coroutine) hasn't it there.
      uintptr_t end = reinterpret_cast<uintptr_t>(thread.thread_pointer);
      if (end < stack_pointer || end > StackEnd(mappings, stack_pointer)) end = StackEnd(mappings, stack_pointer);
      Add({thread.tid, *thread.tid_address, stack_pointer, end, thread.context});
    }
  }

  // Every lock in a mapping. `in_heap`: what looks like one may be something else.
  void Search(const Mapping& mapping, bool in_heap);
  void RepairWaiters();
  bool found() const { return found_; }

 private:
  static uintptr_t StackEnd(const RawVector<Mapping>& mappings, uintptr_t address) {
    for (const Mapping& mapping : mappings) {
      if (address >= mapping.start && address < mapping.end) return mapping.end;
    }
    return address;
  }

  void Add(const Owner& owner) {
    owners_.Push(owner);
    if (owners_.size() == 1 || owner.old_tid < lowest_) lowest_ = owner.old_tid;
    if (owners_.size() == 1 || owner.old_tid > highest_) highest_ = owner.old_tid;
  }

  const Owner* Find(uint32_t tid) const {
    for (const Owner& owner : owners_) {
      if (static_cast<uint32_t>(owner.old_tid) == tid) return &owner;
    }
    return nullptr;
  }

  template <typename Lock>
  bool RepairAround(uint32_t* word, size_t offset, const Mapping& mapping, bool in_heap);

  const RawVector<Mapping>& mappings_;
  RawVector<Owner> owners_;
  pid_t lowest_ = 0;
  pid_t highest_ = 0;
  bool found_ = false;
};

template <typename Lock>
bool Repair::RepairAround(uint32_t* word, size_t offset, const Mapping& mapping, bool in_heap) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(word) - offset;
  if (address % alignof(Lock) != 0 || address < mapping.start || address + sizeof(Lock) > mapping.end) return false;
  if (!LooksHeld(*reinterpret_cast<const Lock*>(address))) return false;
  const Owner* owner = Find(*word);
  if (owner == nullptr || (in_heap && !References(mappings_, *owner, address).found())) return false;
  *word = static_cast<uint32_t>(owner->new_tid);
  found_ = found_ || owner->context != nullptr;
  return true;
}

// The tids of a process are neighbours: one comparison of four words at a time passes over nearly all of the heap.
void Repair::Search(const Mapping& mapping, bool in_heap) {
  using Words = uint32_t __attribute__((vector_size(16)));
  using Halves = uint64_t __attribute__((vector_size(16)));
  constexpr int kAtOnce = 4;
  const auto low = static_cast<uint32_t>(lowest_);
  const uint32_t width = static_cast<uint32_t>(highest_) - low;
  const Words lows = {low, low, low, low};
  const Words widths = {width, width, width, width};
  const auto* last = reinterpret_cast<const Words*>(mapping.end) - kAtOnce;
  for (auto* at = reinterpret_cast<Words*>(mapping.start); at <= last; at += kAtOnce) {
    const Words hits =
        reinterpret_cast<Words>(at[0] - lows <= widths) | reinterpret_cast<Words>(at[1] - lows <= widths) |
        reinterpret_cast<Words>(at[2] - lows <= widths) | reinterpret_cast<Words>(at[3] - lows <= widths);
    const auto halves = reinterpret_cast<Halves>(hits);
    if (__builtin_expect((halves[0] | halves[1]) == 0, 1)) continue;
    auto* words = reinterpret_cast<uint32_t*>(at);
    for (int i = 0; i < kAtOnce * 4; i++) {
      if (words[i] - low > width) continue;
      if (!RepairAround<Mutex>(words + i, offsetof(Mutex, owner), mapping, in_heap)) {
        RepairAround<RwLock>(words + i, offsetof(RwLock, writer), mapping, in_heap);
      }
    }
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
void Repair::RepairWaiters() {
  for (const Owner& owner : owners_) {
    ucontext_t* context = owner.context;
    if (context == nullptr || !IsSyscallInstruction(InstructionPointer(context))) continue;
    if (SyscallToMake(context) != __NR_futex) continue;
    // The futex of a condition variable or a semaphore isn't a mutex, and what follows it doesn't look like one.
    const auto* mutex = reinterpret_cast<const Mutex*>(FirstArgument(context));
    if (!IsMapped(mutex) || !LooksHeld(*mutex)) continue;
    const auto old_tid = static_cast<uint32_t>(owner.old_tid);
    const auto new_tid = static_cast<uint32_t>(owner.new_tid);
    EachRegister(context, [&](uint64_t* value) {
      if (*value == old_tid) *value = new_tid;
    });
    constexpr uintptr_t kFramesBytes = 256;
    const uintptr_t end = owner.stack_pointer + kFramesBytes;
    for (uintptr_t at = owner.stack_pointer; at < end && at < owner.stack_end; at += sizeof(uint32_t)) {
      auto* word = reinterpret_cast<uint32_t*>(at);
      if (*word == old_tid) *word = new_tid;
    }
    found_ = true;
  }
}

bool RepairLockOwners(const RawVector<Mapping>& mappings, Threads* threads, pid_t old_main, pid_t new_main) {
  Repair repair(mappings, threads, old_main, new_main);
  for (size_t i = 0; i < mappings.size(); i++) {
    const Contents contents = ContentsOf(mappings[i], i > 0 ? &mappings[i - 1] : nullptr);
    if (contents != Contents::kNoLocks) repair.Search(mappings[i], contents == Contents::kHeap);
  }
  repair.RepairWaiters();
  return !repair.found();
}

}  // namespace posix_daemon
