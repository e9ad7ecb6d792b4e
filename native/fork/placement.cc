#include "placement.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace posix_daemon {

static Placement main_placement;

void ReadPlacement(Placement* placement) {
  placement->known = syscall(SYS_sched_getattr, 0, &placement->scheduling, sizeof(Scheduling), 0) == 0 &&
                     syscall(SYS_sched_getaffinity, 0, sizeof(cpu_set_t), &placement->affinity) > 0;
}

void NoteMainPlacement() { ReadPlacement(&main_placement); }

// A new thread is placed as the main thread is. Only what differs is set: to set an affinity, even to what it is, would
// cut the thread off from later changes of its cpuset.
void RestorePlacement(const Placement& placement) {
  if (!placement.known || !main_placement.known) return;
  // An ordinary user may not lower a nice value again that came from the main thread; then it stays.
  if (memcmp(&placement.scheduling, &main_placement.scheduling, sizeof(Scheduling)) != 0) {
    syscall(SYS_sched_setattr, 0, &placement.scheduling, 0);
  }
  if (memcmp(&placement.affinity, &main_placement.affinity, sizeof(cpu_set_t)) != 0) {
    syscall(SYS_sched_setaffinity, 0, sizeof(cpu_set_t), &placement.affinity);
  }
}

}  // namespace posix_daemon
