// Whether an interrupted thread may be taken as it is.
#pragma once

#include <ucontext.h>

namespace posix_daemon {

// How much is asked of the place in which a signal caught a thread.
//
// A thread of the child has a new tid, and a thread that was caught inside the C library may hold the old one in a
// register: pthread_mutex_lock on a recursive mutex reads it first and stores it as the owner later. So a thread is
// best taken while it sleeps in a system call. One that never sleeps, because it runs JavaScript, is taken outside of
// the C library; and one that can't be caught there either is taken anyway in the end.
enum class Demand { kAsleep, kOutsideLibc, kNothing };

// Notes where the C library's code lies; once, before any thread is parked (it takes the loader's lock).
void LearnLibcText();

bool AtRest(const ucontext_t* context, Demand demand);

}  // namespace posix_daemon
