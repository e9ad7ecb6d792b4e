// A recursive or error-checking mutex keeps the tid of the thread that holds it, a read-write lock that of its writer,
// and the threads of a forked child have new tids.
#pragma once

#include <sys/types.h>

#include "mappings.h"
#include "threads.h"

namespace posix_daemon {

// In the child, while its threads wait to go on: gives each held mutex the new tid of its holder, and each thread that
// waits for such a mutex its own new tid in the places from which it will become the owner. Without it the holder's
// unlock fails with EPERM, which nobody looks at, and the next lock waits for ever: V8's mutex over its local heaps,
// when a Worker ends.
//
// To keep the old tids instead isn't possible: setuid() signals every thread by the tid in its descriptor, and with a
// wrong one the thread would silently keep its old user.
//
// True when no other thread than the main one holds such a lock or waits for one.
bool RepairLockOwners(const RawVector<Mapping>& mappings, Threads* threads, pid_t old_main, pid_t new_main);

}  // namespace posix_daemon
