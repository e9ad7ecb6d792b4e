#include "slot.h"

#include <unistd.h>

#include <algorithm>

namespace posix_daemon {

uint64_t Slot::Deadline() const {
  if (state == State::kWaiting) return start_at;
  if (!is_running()) return kNever;
  return std::min({ready_at, ready_by, beat_by, look_at, kill_at, give_up_at});
}

void Slot::Clear() {
  for (int* const fd : {&pidfd, &message_fd}) {
    if (*fd != -1) close(*fd);
    *fd = -1;
  }
  notify.Close();
  guard = lost_guard = program = -1;
  failed = ended = cleared = said_ready = false;
  left = 0;
  reason = Reason::kNone;
  ready_at = ready_by = beat_by = look_at = kill_at = give_up_at = kNever;
}

}  // namespace posix_daemon
