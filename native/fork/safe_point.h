// Whether an interrupted thread may be taken as it is.
#pragma once

#include <sys/types.h>
#include <ucontext.h>

#include <cstdint>

namespace posix_daemon {

// Finds the C library's code. Takes the loader's lock: call it before a thread is parked.
void LearnLibcText();

bool InLibcText(uintptr_t address);

// A thread of the child gets a new tid. One that was caught inside the C library may hold the old tid in a register or
// in its innermost frame: pthread_mutex_lock of a recursive mutex reads it first and stores it as the owner later. So a
// thread is taken in a system call, outside of the C library, or where no copy of its tid is in sight.
// Async-signal-safe.
bool AtSafePoint(const ucontext_t* context, pid_t tid);

// Whether the thread is inside setuid() or one of its kin, which makes every other thread change its ids as well, by
// signals that a fork would lose, and waits for all of them.
bool ChangesIdsOfAllThreads(const ucontext_t* context);

}  // namespace posix_daemon
