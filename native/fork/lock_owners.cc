#include "lock_owners.h"

#include <link.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "arch.h"
#include "raw.h"
#include "safe_point.h"

namespace posix_daemon {

// A lock is held for microseconds; by a collection of V8's garbage, for milliseconds. A thread that sleeps with one for
// this long will do so for longer…
constexpr int64_t kHeldInSleepNs = 20'000'000;
// …and the process isn't kept from its work for longer than this.
constexpr int64_t kGiveUpNs = 1'000'000'000;

static const auto page_size = static_cast<uintptr_t>(getpagesize());

constexpr size_t kMostData = 1024;

// How far behind an address that a thread has a lock may begin: an object's members, a frame's variables.
constexpr uintptr_t kReach = 256;

// pthread_mutex_t, as glibc lays it out on 64-bit machines.
struct Mutex {
  uint32_t lock;  // 1: held, 2: held and waited for; the tid, where the kernel knows the owner
  uint32_t count;
  int32_t owner;
  uint32_t users;
  uint32_t kind;
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
  constexpr uint32_t kRecursive = 1;
  constexpr uint32_t kErrorChecking = 2;
  constexpr uint32_t kPriorityInheriting = 32;
  constexpr uint32_t kTidOfLock = 0x3fffffff;
  const uint32_t kind = mutex.kind & ~kPriorityInheriting;
  const bool counted = (kind == kRecursive && mutex.count >= 1 && mutex.count <= kDeepest) ||
                       (kind == kErrorChecking && mutex.count <= 1);
  const bool held = (mutex.kind & kPriorityInheriting) != 0
                        ? (mutex.lock & kTidOfLock) == static_cast<uint32_t>(mutex.owner)
                        : mutex.lock == 1 || mutex.lock == 2;
  return counted && held && mutex.users == 1 && mutex.spins == 0 && mutex.elision == 0 && mutex.robust_list[0] == 0 &&
         mutex.robust_list[1] == 0;
}

static bool LooksHeld(const RwLock& lock) {
  constexpr uint32_t kHeldByWriter = 3;
  constexpr uint32_t kWaitedFor = 2;
  constexpr uint32_t kMost = 100000;
  return (lock.readers & kHeldByWriter) == kHeldByWriter && lock.readers <= kMost && lock.writers <= kMost &&
         (lock.phase_futex & ~kWaitedFor) == 1 && (lock.writers_futex & ~kWaitedFor) == 1 && lock.padding[0] == 0 &&
         lock.padding[1] == 0 && lock.shared <= 1 && lock.elision == 0 && lock.more_padding == 0 && lock.flags <= 2;
}

template <typename Lock>
static bool LooksHeldAt(uintptr_t start) {
  return start % alignof(Lock) == 0 && LooksHeld(*reinterpret_cast<const Lock*>(start));
}

// One look: what the parked threads hold.
class LockOwners::Search {
 public:
  Search(const Threads& threads, const RawVector<Mapping>& mappings, const RawVector<Range>& module_data,
         RawVector<Held>* held)
      : threads_(threads), mappings_(mappings), module_data_(module_data), held_(held) {}

  void FromThread(size_t index);
  void InModuleData();

 private:
  void Select(size_t index);
  bool InModule(const Mapping& mapping) const;
  bool MayHoldLocks(const Mapping& mapping) const;
  bool CanBeRead(uintptr_t page);
  uintptr_t ReadableEnd(uintptr_t address);
  uintptr_t StackEnd() const;
  void Follow(uint64_t word);
  void LookBehind(uintptr_t address, uintptr_t end, int distance);
  bool TryOwner(uintptr_t owner, uintptr_t lowest, uintptr_t end, uintptr_t exact, int distance);
  void Add(uintptr_t owner, int distance);
  bool WaitsForLock();
  bool IsTid(pid_t tid) const;

  const Threads& threads_;
  const RawVector<Mapping>& mappings_;
  const RawVector<Range>& module_data_;
  RawVector<Held>* const held_;

  // Of the thread that is looked at.
  size_t index_ = 0;
  const Thread* thread_ = nullptr;
  uintptr_t stack_start_ = 0;
  uintptr_t stack_end_ = 0;
  // Addresses that were followed already: threads have the same ones on their stacks many times.
  static constexpr size_t kSeen = 512;
  uintptr_t seen_[kSeen];
  // Pages that were tried; the lowest bit is set where one can be read.
  uintptr_t pages_[kSeen] = {};
};

bool LockOwners::Search::InModule(const Mapping& mapping) const {
  return std::any_of(module_data_.begin(), module_data_.end(),
                     [&](const Range& data) { return mapping.start < data.end && data.start < mapping.end; });
}

// The memory that programs keep locks in. Not files: their pages may be missing.
bool LockOwners::Search::MayHoldLocks(const Mapping& mapping) const {
  if (!mapping.readable || !mapping.writable || mapping.shared) return false;
  return mapping.kind == MappingKind::kAnonymous || mapping.kind == MappingKind::kHeap ||
         (mapping.kind == MappingKind::kFile && InModule(mapping));
}

// A mapping may have pages that mustn't be touched, and /proc/self/maps doesn't show them: the guards of
// MADV_GUARD_INSTALL, which the C library's thread stacks have since 2.42. Only a system call survives them.
bool LockOwners::Search::CanBeRead(uintptr_t page) {
  uintptr_t& known = pages_[page / page_size % kSeen];
  if ((known & ~uintptr_t{1}) != page) {
    char byte;
    const iovec local = {&byte, 1};
    const iovec remote = {reinterpret_cast<void*>(page), 1};
    // Where a sandbox refuses the call, nothing is known of such pages.
    const bool guarded = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == -1 && errno == EFAULT;
    known = page | (guarded ? 0 : 1);
  }
  return (known & 1) != 0;
}

// How far a lock that begins within reach of the address can be read; 0 where none can lie there.
uintptr_t LockOwners::Search::ReadableEnd(uintptr_t address) {
  const Mapping* mapping = MappingFrom(mappings_, address);
  if (mapping == nullptr || address < mapping->start || !MayHoldLocks(*mapping)) return 0;
  const uintptr_t end = std::min(mapping->end, address + kReach + sizeof(RwLock));
  const uintptr_t page = address & ~(page_size - 1);
  const uintptr_t last_page = (end - 1) & ~(page_size - 1);
  if (!CanBeRead(page)) return 0;
  return last_page == page || CanBeRead(last_page) ? end : last_page;
}

// Its descriptor lies above a thread's stack. One that has changed its stack (a coroutine) hasn't it there.
uintptr_t LockOwners::Search::StackEnd() const {
  const uintptr_t start = StackPointer(thread_->context);
  const Mapping* mapping = MappingFrom(mappings_, start);
  if (mapping == nullptr || start < mapping->start) return start;
  const auto descriptor = reinterpret_cast<uintptr_t>(thread_->thread_pointer);
  return descriptor >= start && descriptor < mapping->end ? descriptor : mapping->end;
}

void LockOwners::Search::Add(uintptr_t owner, int distance) {
  for (Held& held : *held_) {
    if (held.owner != owner || held.thread != index_) continue;
    held.distance = std::min(held.distance, distance);
    return;
  }
  const bool asleep = IsSyscallInstruction(InstructionPointer(thread_->context));
  held_->Push({owner, index_, thread_->tid, StackPointer(thread_->context), MonotonicNs(), asleep, distance});
}

// Whether the word is the owner in a lock that begins at `lowest` or behind and lies before `end`. At `exact`, the
// distance is 0.
bool LockOwners::Search::TryOwner(uintptr_t owner, uintptr_t lowest, uintptr_t end, uintptr_t exact, int distance) {
  if (*reinterpret_cast<const pid_t*>(owner) != thread_->tid) return false;
  for (const bool mutex : {true, false}) {
    const size_t offset = mutex ? offsetof(Mutex, owner) : offsetof(RwLock, writer);
    const size_t size = mutex ? sizeof(Mutex) : sizeof(RwLock);
    if (owner - lowest < offset || owner - offset + size > end) continue;
    const uintptr_t start = owner - offset;
    if (!(mutex ? LooksHeldAt<Mutex>(start) : LooksHeldAt<RwLock>(start))) continue;
    Add(owner, start == exact ? 0 : distance);
    return true;
  }
  return false;
}

void LockOwners::Search::LookBehind(uintptr_t address, uintptr_t end, int distance) {
  for (uintptr_t at = address + offsetof(Mutex, owner); at + sizeof(uint64_t) <= end; at += sizeof(uint64_t)) {
    TryOwner(at, address, end, distance == 1 ? address : 0, distance);
  }
}

// What a thread has in a register or on its stack: the address of a lock, or of the object it is a part of, or of one
// that points to that object.
void LockOwners::Search::Follow(uint64_t word) {
  if (word % sizeof(uint64_t) != 0 || (word >= stack_start_ && word < stack_end_)) return;
  uintptr_t& seen = seen_[word / sizeof(uint64_t) % kSeen];
  if (seen == word) return;
  seen = word;
  const uintptr_t end = ReadableEnd(word);
  if (end == 0) return;
  LookBehind(word, end, 1);
  for (uintptr_t at = word; at < std::min(end, word + kReach); at += sizeof(uint64_t)) {
    const auto pointer = *reinterpret_cast<const uintptr_t*>(at);
    if (pointer % sizeof(uint64_t) != 0 || pointer - word < kReach) continue;
    const uintptr_t further = ReadableEnd(pointer);
    if (further != 0) LookBehind(pointer, further, 2);
  }
}

// A thread asleep in pthread_mutex_lock has read its tid and will store that as the owner. The lock that it waits for
// is another thread's.
bool LockOwners::Search::WaitsForLock() {
  if (!InLibcText(InstructionPointer(thread_->context))) return false;
  bool waits = false;
  EachRegister(thread_->context, [&](uint64_t word) {
    const uintptr_t end = word % alignof(Mutex) == 0 ? ReadableEnd(word) : 0;
    if (word + sizeof(Mutex) > end) return;
    const auto& mutex = *reinterpret_cast<const Mutex*>(word);
    waits = waits || (LooksHeld(mutex) && IsTid(mutex.owner) && mutex.owner != thread_->tid);
  });
  return waits;
}

bool LockOwners::Search::IsTid(pid_t tid) const {
  if (tid == getpid()) return true;
  for (size_t i = 0; i < threads_.size(); i++) {
    if (threads_[i].parked() && threads_[i].tid == tid) return true;
  }
  return false;
}

void LockOwners::Search::Select(size_t index) {
  index_ = index;
  thread_ = &threads_[index];
}

void LockOwners::Search::FromThread(size_t index) {
  Select(index);
  stack_start_ = (StackPointer(thread_->context) - kRedZone) & ~uintptr_t{7};
  stack_end_ = StackEnd();
  memset(seen_, 0, sizeof seen_);
  EachRegister(thread_->context, [&](uint64_t word) { Follow(word); });
  for (uintptr_t at = stack_start_; at + sizeof(uint64_t) <= stack_end_; at += sizeof(uint64_t)) {
    if (!TryOwner(at, stack_start_, stack_end_, at - offsetof(Mutex, owner), 1))
      Follow(*reinterpret_cast<uint64_t*>(at));
  }
  // A robust mutex is on its holder's list, which ends at its own head.
  const bool holds_robust =
      thread_->robust_list != nullptr && *static_cast<void**>(thread_->robust_list) != thread_->robust_list;
  if (holds_robust || WaitsForLock() || ChangesIdsOfAllThreads(thread_->context)) Add(0, 1);
}

// The tids of a process are neighbours: one comparison of four words at a time passes over nearly all of the data.
void LockOwners::Search::InModuleData() {
  uint32_t low = UINT32_MAX;
  uint32_t high = 0;
  for (size_t i = 0; i < threads_.size(); i++) {
    if (!threads_[i].parked()) continue;
    low = std::min(low, static_cast<uint32_t>(threads_[i].tid));
    high = std::max(high, static_cast<uint32_t>(threads_[i].tid));
  }
  if (high == 0) return;
  using Words = uint32_t __attribute__((vector_size(16)));
  using Halves = uint64_t __attribute__((vector_size(16)));
  const uint32_t width = high - low;
  const Words lows = {low, low, low, low};
  const Words widths = {width, width, width, width};
  for (const Range& data : module_data_) {
    for (uintptr_t at = data.start; at + sizeof(Words) <= data.end; at += sizeof(Words)) {
      const auto hits = reinterpret_cast<Halves>(*reinterpret_cast<const Words*>(at) - lows <= widths);
      if (__builtin_expect((hits[0] | hits[1]) == 0, 1)) continue;
      for (const uintptr_t owner : {at, at + sizeof(uint64_t)}) {
        for (size_t i = 0; i < threads_.size(); i++) {
          if (!threads_[i].parked() || threads_[i].tid != *reinterpret_cast<const pid_t*>(owner)) continue;
          Select(i);
          TryOwner(owner, data.start, data.end, 0, 1);
        }
      }
    }
  }
}

int LockOwners::Visit(dl_phdr_info* module, size_t, void* self) {
  const uintptr_t page = static_cast<uintptr_t>(getpagesize());
  uintptr_t read_only_end = 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type == PT_GNU_RELRO) {
      read_only_end = (module->dlpi_addr + segment.p_vaddr + segment.p_memsz) & ~(page - 1);
    }
  }
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
    const uintptr_t start = module->dlpi_addr + segment.p_vaddr;
    const uintptr_t end = start + segment.p_memsz;
    constexpr uintptr_t kAlignment = 16;
    const uintptr_t writable = read_only_end > start && read_only_end < end ? read_only_end : start;
    static_cast<LockOwners*>(self)->module_data_.Push({(writable + kAlignment - 1) & ~(kAlignment - 1), end});
  }
  return 0;
}

void LockOwners::Begin() {
  module_data_.Clear();
  dl_iterate_phdr(Visit, this);
  held_.Clear();
  begin_ = 0;
}

LockOwners::Verdict LockOwners::Look(const Threads& threads, const RawVector<Mapping>& mappings) {
  held_before_.Clear();
  for (const Held& held : held_) held_before_.Push(held);
  held_.Clear();
  Search search(threads, mappings, module_data_, &held_);
  for (size_t i = 0; i < threads.size(); i++) {
    if (threads[i].parked()) search.FromThread(i);
  }
  search.InModuleData();
  const int64_t now = MonotonicNs();
  if (begin_ == 0) begin_ = now;
  for (Held& held : held_) {
    for (const Held& before : held_before_) {
      if (IsSame(before, held)) held.since = before.since;
    }
  }
  DropData();
  const bool repairable = std::all_of(held_.begin(), held_.end(), [&](const Held& held) {
    return held.owner != 0 && held.asleep && held.distance == 0 && now - held.since >= kHeldInSleepNs;
  });
  if (repairable && held_.ok() && module_data_.ok()) return Verdict::kFork;
  return now - begin_ < kGiveUpNs ? Verdict::kWait : Verdict::kRefuse;
}

// What a thread knows of only by way of another object and seems to hold through a long sleep is taken for data that
// looks like a lock: holders have the lock's address at hand, or that of the object around it. From then on it costs no
// time.
void LockOwners::DropData() {
  const int64_t now = MonotonicNs();
  size_t kept = 0;
  for (const Held& held : held_) {
    bool is_data = false;
    if (held.asleep && held.distance == 2) {
      is_data = std::any_of(data_.begin(), data_.end(), [&](const Held& data) { return IsSame(data, held); });
      if (!is_data && now - held.since >= kHeldInSleepNs) {
        if (data_.size() == kMostData) data_.Clear();
        data_.Push(held);
        is_data = true;
      }
    }
    if (!is_data) held_[kept++] = held;
  }
  held_.Truncate(kept);
}

void LockOwners::Repair(const Threads& threads) {
  for (const Held& held : held_) *reinterpret_cast<pid_t*>(held.owner) = *threads[held.thread].tid_address;
}

}  // namespace posix_daemon
