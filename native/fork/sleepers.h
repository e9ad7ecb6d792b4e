// Which threads sleep where they slept before.
#pragma once

#include <atomic>

#include "mappings.h"
#include "threads.h"

namespace posix_daemon {

// The search for held mutexes reads all of the C heap, which is most of what a fork of a small process costs. Nearly
// always it finds nothing: the threads sleep in their own waiting loops. So it is remembered where each one slept at a
// fork whose child found nothing held. A thread that sleeps in the same place again, at the same depth of its stack and
// with the same calls below it, holds nothing again; if all do, there is nothing to look for.
class Sleepers {
 public:
  // In the parent, with every thread parked.
  bool AllWhereTheyHeldNothing(Threads* threads, const RawVector<Mapping>& mappings);

  // In the parent: the child of this fork will set *nothing_held (in memory shared with it, which must stay mapped
  // until the next call) if it finds that the threads looked at last hold nothing.
  void Remember(const std::atomic<int>* nothing_held);

 private:
  struct Place {
    pid_t tid;
    uintptr_t stack_pointer;
    uintptr_t instruction_pointer;
    uint64_t callers;
    bool asleep;
  };

  RawVector<Place> present_;
  RawVector<Place> known_;
  const std::atomic<int>* nothing_held_ = nullptr;
};

}  // namespace posix_daemon
