// How a thread is run: its policy, its nice value, its processors.
#pragma once

#include <sched.h>

#include <cstdint>

namespace posix_daemon {

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

// Of the calling thread.
void ReadPlacement(Placement* placement);

// In the main thread, before a fork: how the threads of the child will be placed at first.
void NoteMainPlacement();

// In a thread of the child.
void RestorePlacement(const Placement& placement);

}  // namespace posix_daemon
