// The other threads of the process: stopped where they are for the time of a fork, released in the parent, made again
// in the child.
#pragma once

#include <sched.h>
#include <sys/types.h>
#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace posix_daemon {

enum class ThreadState : int {
  kAsked,   // the signal is on its way
  kBusy,    // answered from the middle of something: let go, to be asked again
  kParked,  // waits in the signal handler
  kGone,    // has ended
};

// The kernel's struct sched_attr: a name that newer C libraries define as well, each in a way of its own.
struct Scheduling {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

// How a thread is run; read only where the kernel allowed it.
struct Placement {
  Scheduling scheduling;
  cpu_set_t affinity;
  bool known;
};

// One other thread, with what the kernel keeps of it and a new kernel thread has to be told again. The signal mask and
// the alternate signal stack aren't here: the return from the signal handler restores both from the stack.
struct Thread {
  pid_t tid;
  std::atomic<ThreadState> state;
  void* stack_pointer;
  ucontext_t* context;
  int* tid_address;  // in its pthread descriptor: CLONE_CHILD_CLEARTID's, what pthread_join waits on
  void* thread_pointer;
  void* robust_list;
  size_t robust_list_size;
  char name[16];
  Placement placement;
};

// The threads of this process but for the caller, which must be the main thread. One at a time; nothing that takes a
// lock may be called between Park and the end of Release or Open.
class Threads {
 public:
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

  size_t size() const;
  // In no order that means anything; only those whose state is kParked are there in the child.
  Thread& operator[](size_t i);

  // The tid that replaced `tid` in the child, 0 if none did.
  pid_t NewTid(pid_t tid) const;
};

// Asked once, before anything: the errno of the first call that Park depends on and this kernel lacks, with its name in
// *what; 0 when all is there.
int ThreadsSupported(const char** what);

}  // namespace posix_daemon
