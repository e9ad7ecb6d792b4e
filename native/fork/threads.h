// The other threads of the process: stopped where they are for the time of a fork, released in the parent, made again
// in the child.
#pragma once

#include <sys/types.h>
#include <ucontext.h>

#include <atomic>
#include <cstddef>

#include "placement.h"

namespace posix_daemon {

enum class ThreadState : int {
  kAsked,      // the signal is on its way
  kAnswering,  // in the signal handler
  kBusy,       // can't be taken where the signal caught it; let go, to be asked again
  kParked,     // waits in the signal handler
  kGone,       // has ended
  kKernel,     // an io_uring's own: takes no signals, runs no code of the program
};

// One other thread, with what the kernel keeps of it and a new kernel thread has to be told again. The signal mask and
// the alternate signal stack aren't here: the return from the signal handler restores both from the stack.
struct Thread {
  pid_t tid;
  std::atomic<ThreadState> state;
  int round;
  void* stack_pointer;
  ucontext_t* context;
  int* tid_address;  // in its pthread descriptor: CLONE_CHILD_CLEARTID's, what pthread_join waits on
  void* thread_pointer;
  void* robust_list;
  size_t robust_list_size;
  char name[16];
  Placement placement;

  bool parked() const { return state.load(std::memory_order_relaxed) == ThreadState::kParked; }
};

// The threads of this process but for the caller, which must be the main thread. One at a time; nothing that takes a
// lock may be called between Park and the end of Release or Open.
class Threads {
 public:
  // Before the first thread is parked: what takes a lock. 0 or an errno.
  int Prepare();

  // Stops every other thread. 0, or an errno with everybody running again: EAGAIN when some thread didn't answer in
  // time, when there are too many, or when no more signals can be queued; what /proc or the kernel refused otherwise.
  int Park();

  // In the parent: lets all of them go on.
  void Release();

  // In the child, where none of them exists yet: makes each again. They wait until Open. 0 or clone's errno (EAGAIN at
  // a limit of processes).
  int Respawn();

  // In the child: lets them go on.
  void Open();

  // In no order that means anything; only those whose state is kParked are there in the child.
  size_t size() const;
  const Thread& operator[](size_t i) const;

 private:
  void GiveUp();
};

// For the calling thread, which the kernel has forgotten it of.
void RegisterRseq();

// What a thread does first in the child, before it waits for Open.
void Arrive(const Thread& self);

}  // namespace posix_daemon
