// The end of the brk heap, for a call that has to pass it to the kernel.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace posix_daemon {

// PR_SET_MM_MAP sets mm->brk along with the rest, unchecked. If another thread's malloc or free moves the heap's end
// between the look at it and the call, the kernel is left with a wrong one: too low only makes the next growth fail,
// and malloc copes with that; too high could let malloc have memory that isn't mapped. So the pages themselves are
// asked afterwards, and a wrong number is corrected at once. For harm to be done nevertheless, other threads would have
// to give back the heap's top and need it again within these few system calls, although malloc keeps 128 KiB in reserve
// when it trims. Stopping every thread, as fork() does, would exclude that too, at a thousand times the price.
class HeapEnd {
 public:
  explicit HeapEnd(uint64_t start) : start_(start), page_size_(static_cast<uint64_t>(sysconf(_SC_PAGESIZE))) {
    // With a neighbour right above, which the pages can't be told from, the heap can't grow: only a shrink can happen.
    do {
      end_ = Ask();
      can_grow_ = !IsMapped(PageUp(end_));
    } while (end_ != Ask());
  }

  uint64_t value() const { return end_; }

  // Whether `value` still is where the heap's pages end; if not, `value` is corrected.
  bool Holds() {
    uint64_t end = PageUp(end_);
    while (can_grow_ && IsMapped(end)) end += page_size_;
    while (end > PageUp(start_) && !IsMapped(end - page_size_)) end -= page_size_;
    if (end == PageUp(end_)) return true;
    end_ = end;
    return false;
  }

 private:
  // The system call and not sbrk(0): the C library's own copy is written a moment after the kernel's.
  static uint64_t Ask() { return static_cast<uint64_t>(syscall(SYS_brk, 0)); }
  static bool IsMapped(uint64_t page) {
    unsigned char resident;
    // Refused by a sandbox counts as mapped: then the number that the kernel gave is left alone.
    return mincore(reinterpret_cast<void*>(page), 1, &resident) == 0 || errno != ENOMEM;
  }
  uint64_t PageUp(uint64_t address) const { return (address + page_size_ - 1) & ~(page_size_ - 1); }

  uint64_t start_;
  uint64_t page_size_;
  uint64_t end_;
  bool can_grow_;
};

}  // namespace posix_daemon
