#include "io_uring.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "descriptors.h"
#include "handshake.h"
#include "raw.h"

namespace posix_daemon {

static int Setup(uint32_t sq_entries, uint32_t cq_entries, io_uring_params* params) {
  *params = {};
  params->flags = IORING_SETUP_CQSIZE;
  params->cq_entries = cq_entries;
  return static_cast<int>(syscall(SYS_io_uring_setup, sq_entries, params));
}

// Where the fields of a ring's memory are, which the kernel returns for a new ring only: all have them at the same
// places. Nullptr with errno where no ring can be made, not even as a replacement.
static const io_uring_params* Layout() {
  static io_uring_params layout;
  static bool known = false;
  if (!known) {
    const int fd = Setup(1, 2, &layout);
    if (fd == -1) return nullptr;
    close(fd);
    known = true;
  }
  return &layout;
}

// A part of a ring's memory, seen through its descriptor: the same memory wherever its owner has mapped it.
class Part {
 public:
  Part(int fd, uint64_t offset, size_t size)
      : size_(size),
        address_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset))) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() {
    if (ok()) munmap(address_, size_);
  }

  bool ok() const { return address_ != MAP_FAILED; }
  template <typename T>
  T* At(size_t offset) const {
    return reinterpret_cast<T*>(static_cast<char*>(address_) + offset);
  }

 private:
  const size_t size_;
  void* const address_;
};

static size_t PageSize() { return static_cast<size_t>(getpagesize()); }

static size_t EntriesSize(const IoUring& ring) {
  return (ring.sq_entries * sizeof(io_uring_sqe) + PageSize() - 1) & ~(PageSize() - 1);
}

int SurveyIoUring(IoUring* ring) {
  const io_uring_params* layout = Layout();
  if (layout == nullptr) return ENOTSUP;
  const Part rings(ring->fd, IORING_OFF_SQ_RING, PageSize());
  if (!rings.ok()) return ENOTSUP;
  const auto word = [&](uint32_t offset) { return __atomic_load_n(rings.At<uint32_t>(offset), __ATOMIC_ACQUIRE); };
  const uint32_t submitted = word(layout->sq_off.tail);
  // Every request of libuv's has one completion: so whatever was submitted and isn't completed shows in the counts.
  if (word(layout->sq_off.head) != submitted || word(layout->cq_off.tail) != submitted ||
      word(layout->cq_off.head) != submitted) {
    return EBUSY;
  }
  if (word(layout->sq_off.dropped) != 0 || word(layout->cq_off.overflow) != 0) return ENOTSUP;
  ring->sq_entries = word(layout->sq_off.ring_entries);
  ring->cq_entries = word(layout->cq_off.ring_entries);
  const Part entries(ring->fd, IORING_OFF_SQES, EntriesSize(*ring));
  if (!entries.ok()) return ENOTSUP;
  for (uint32_t i = 0; i < ring->sq_entries; i++) {
    const uint8_t opcode = entries.At<io_uring_sqe>(i * sizeof(io_uring_sqe))->opcode;
    if (opcode != IORING_OP_EPOLL_CTL && opcode != IORING_OP_NOP) return ENOTSUP;  // NOP: not used yet
  }
  return 0;
}

// Whether `mapped` is the same memory as `word`, in which nobody has an interest at the time.
static bool Same(std::atomic<uint64_t>* word, const void* mapped) {
  const auto* const other = static_cast<const std::atomic<uint64_t>*>(mapped);
  const uint64_t before = word->load();
  if (other->load() != before) return false;
  word->store(~before);
  const bool same = other->load() == ~before;
  word->store(before);
  return same;
}

// Not by the inode: before Linux 5.16 all rings have the same one. What is written is the user data of an entry that
// isn't in use, as none is in an idle ring.
bool TakeMapping(IoUring* ring, const Mapping& mapping) {
  const void* start = reinterpret_cast<const void*>(mapping.start);
  if (!mapping.readable || !mapping.writable) return false;
  if (mapping.offset == IORING_OFF_SQES && mapping.size() == EntriesSize(*ring)) {
    const Part entries(ring->fd, IORING_OFF_SQES, EntriesSize(*ring));
    constexpr size_t kUserData = offsetof(io_uring_sqe, user_data);
    if (!entries.ok() ||
        !Same(entries.At<std::atomic<uint64_t>>(kUserData), static_cast<const char*>(start) + kUserData))
      return false;
    ring->entries = mapping.start;
    ring->entries_size = mapping.size();
    return true;
  }
  const uint32_t completions = Layout()->cq_off.cqes;
  if (mapping.offset == IORING_OFF_SQ_RING && mapping.size() >= completions + ring->cq_entries * sizeof(io_uring_cqe)) {
    const Part rings(ring->fd, IORING_OFF_SQ_RING, PageSize());
    if (!rings.ok() ||
        !Same(rings.At<std::atomic<uint64_t>>(completions), static_cast<const char*>(start) + completions))
      return false;
    ring->rings = mapping.start;
    ring->rings_size = mapping.size();
    return true;
  }
  return false;
}

// Makes the kernel choose an address. It refuses one for an io_uring's memory (since Linux 6.4, even to mremap), but
// takes the first gap that fits: so every gap that comes before the wanted one is filled for a moment.
class GapFiller {
 public:
  GapFiller() {
    // Its own memory now, and not in the gap that is to be left free.
    filled_.Push({});
    filled_.Clear();
  }
  ~GapFiller() {
    for (const Filled& filled : filled_) munmap(filled.address, filled.size);
  }

  // The range must have just been unmapped. True when the next mapping of `size` will lie there.
  bool Lead(uintptr_t wanted, size_t size) {
    // From large to small, or a wide gap would take thousands.
    size_t step = size_t{1} << 40;
    while (filled_.size() < kMost) {
      void* address = mmap(nullptr, step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      const auto at = reinterpret_cast<uintptr_t>(address);
      const bool mapped = address != MAP_FAILED;
      if (mapped && (MapsTopDown() ? at > wanted : at < wanted)) {
        if (filled_.Push({address, step}) == nullptr) return false;
        continue;
      }
      if (mapped) munmap(address, step);
      if (step == size) return mapped && at == wanted;
      step = step / 8 > size ? step / 8 : size;
    }
    return false;
  }

 private:
  static constexpr size_t kMost = 4096;
  struct Filled {
    void* address;
    size_t size;
  };
  RawVector<Filled> filled_;
};

static int MapAt(uintptr_t start, size_t size, uint64_t offset, int fd, GapFiller* filler) {
  if (size == 0) return 0;
  void* wanted = reinterpret_cast<void*>(start);
  munmap(wanted, size);
  if (!filler->Lead(start, size)) return kRepeatFork;
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) return errno;
  return at == wanted ? 0 : kRepeatFork;
}

int ReplaceIoUring(const IoUring& old) {
  io_uring_params params;
  const int fresh = Setup(old.sq_entries, old.cq_entries, &params);
  if (fresh == -1) return errno;
  int error = 0;
  {
    // The array that maps slots to entries, each to itself as libuv has it. libuv does without where the kernel lets
    // it (IORING_SETUP_NO_SQARRAY); then this one says the same, and libuv doesn't look at it.
    const Part rings(fresh, IORING_OFF_SQ_RING, params.sq_off.array + params.sq_entries * sizeof(uint32_t));
    if (!rings.ok()) error = errno;
    for (uint32_t i = 0; rings.ok() && i < params.sq_entries; i++) rings.At<uint32_t>(params.sq_off.array)[i] = i;
  }
  GapFiller filler;
  if (error == 0) error = MapAt(old.rings, old.rings_size, IORING_OFF_SQ_RING, fresh, &filler);
  if (error == 0) error = MapAt(old.entries, old.entries_size, IORING_OFF_SQES, fresh, &filler);
  if (error != 0) {
    close(fresh);
    return error;
  }
  return Substitute(fresh, old.fd, old.flags);
}

}  // namespace posix_daemon
