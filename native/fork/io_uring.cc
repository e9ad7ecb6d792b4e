#include "io_uring.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "raw.h"

namespace posix_daemon {

// Newer than the headers of some systems.
constexpr uint32_t kSetupNoSqArray = 1U << 16;

static int Setup(const IoUring& old, uint32_t flags, io_uring_params* params) {
  *params = {};
  params->flags = IORING_SETUP_CQSIZE | flags;
  params->cq_entries = old.cq_entries;
  return static_cast<int>(syscall(SYS_io_uring_setup, old.sq_entries, params));
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

static int MapAt(const Mapping& old, int fd, GapFiller* filler) {
  void* wanted = reinterpret_cast<void*>(old.start);
  munmap(wanted, old.size());
  if (!filler->Lead(old.start, old.size())) return ENOMEM;
  void* at =
      mmap(nullptr, old.size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(old.offset));
  if (at == MAP_FAILED) return errno;
  return at == wanted ? 0 : ENOMEM;
}

int ReplaceIoUring(const IoUring& old, const RawVector<Mapping>& mappings) {
  const Mapping* ring = nullptr;
  const Mapping* entries = nullptr;
  for (const Mapping& mapping : mappings) {
    if (mapping.kind != MappingKind::kIoUring || mapping.inode != old.inode) continue;
    (mapping.offset == IORING_OFF_SQ_RING ? ring : entries) = &mapping;
  }
  if (ring == nullptr || entries == nullptr) return 0;  // nobody's any more, or not libuv's

  io_uring_params params;
  int fresh = Setup(old, 0, &params);
  if (fresh == -1) return errno;
  // Whether the old one had the array that maps its slots to entries, each to itself; libuv does without where it can.
  const auto* array = reinterpret_cast<const uint32_t*>(ring->start + params.sq_off.array);
  bool has_array = params.sq_off.array + old.sq_entries * sizeof(uint32_t) <= ring->size();
  for (uint32_t i = 0; has_array && i < old.sq_entries; i++) has_array = array[i] == i;
  if (!has_array) {
    close(fresh);
    fresh = Setup(old, kSetupNoSqArray, &params);
    if (fresh == -1) return errno;
  }

  GapFiller filler;
  for (const Mapping* mapping : {ring, entries}) {
    const int error = MapAt(*mapping, fresh, &filler);
    if (error != 0) {
      close(fresh);
      return error;
    }
  }
  if (has_array) {
    auto* slots = reinterpret_cast<uint32_t*>(ring->start + params.sq_off.array);
    for (uint32_t i = 0; i < old.sq_entries; i++) slots[i] = i;
  }
  return Substitute(fresh, old.fd, old.flags);
}

}  // namespace posix_daemon
