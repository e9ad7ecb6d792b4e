// A recursive or error-checking mutex keeps the tid of the thread that holds it, a read-write lock that of its writer,
// and the threads of a forked child have new tids. The holder's unlock would fail with EPERM, which nobody looks at,
// and the next lock would wait for ever: V8's mutex over its local heaps, when a Worker ends.
//
// To keep the old tids instead isn't possible: setuid() signals every thread by the tid in its descriptor, and with a
// wrong one the thread would silently keep its old user.
//
// So a fork waits for a moment in which no thread holds such a lock. Held locks are looked for where the holder can
// know of them: from the registers and the stack of each parked thread, and in the static data of the loaded modules.
// Never in all of memory, where arrays of small numbers look like locks that a thread with a small tid holds.
#pragma once

#include <link.h>
#include <sys/types.h>

#include <cstdint>

#include "mappings.h"
#include "threads.h"

namespace posix_daemon {

class LockOwners {
 public:
  enum class Verdict {
    kFork,
    kWait,    // something is held: let the threads go on, and look again
    kRefuse,  // it has been held for too long, by a thread that can't be given its new tid there for sure
  };

  // Before a thread is parked: a new series of looks. Takes the loader's lock.
  void Begin();

  // In the parent, with every thread parked; reads, and changes nothing. The caller, the main thread, isn't asked: it
  // holds nothing when it runs JavaScript.
  Verdict Look(const Threads& threads, const RawVector<Mapping>& mappings);

  // In the child, its threads waiting: gives their new tids to the locks that were held all the time.
  void Repair(const Threads& threads);

 private:
  struct Held {
    uintptr_t owner;  // the address of the tid in the lock; 0 for what isn't a lock
    size_t thread;
    pid_t tid;
    uintptr_t stack_pointer;
    int64_t since;
    bool asleep;  // the holder, in a system call
    // How the holder knows of it: 0 by the address of the lock itself, in a register or on its stack, 1 by that of the
    // object around it, 2 by way of another object. Static data is known to everybody.
    int distance;
  };
  struct Range {
    uintptr_t start;
    uintptr_t end;
  };

  class Search;

  static bool IsSame(const Held& a, const Held& b) {
    return a.owner == b.owner && a.tid == b.tid && a.stack_pointer == b.stack_pointer;
  }
  void DropData();
  static int Visit(dl_phdr_info* module, size_t, void* self);

  RawVector<Range> module_data_;
  RawVector<Held> held_;
  RawVector<Held> held_before_;
  // What turned out to be data.
  RawVector<Held> data_;
  int64_t begin_ = 0;
};

}  // namespace posix_daemon
