// What a supervisor writes into the log for people.
#include <sys/wait.h>

#include <cinttypes>
#include <cstring>

#include "signals.h"
#include "supervisor.h"
#include "text.h"

namespace posix_daemon {

static Text<64> HowItEnded(const Slot& slot) {
  if (slot.failed) return Text<64>("%s: %s", StepName(slot.failure.step), strerror(slot.failure.error));
  if (WIFEXITED(slot.wait_status)) return Text<64>("exit code %d", WEXITSTATUS(slot.wait_status));
  return Text<64>("killed by %s", SignalName(WTERMSIG(slot.wait_status)).c_str());
}

// For people: what they would otherwise look for.
void Supervisor::Explain(const Slot& slot, int64_t next) {
  const Text<32> name("%s%s", options_.name == nullptr ? "" : options_.name, options_.name == nullptr ? "" : ": ");
  const int index = index_of(&slot);
  if (slot.left > 0 && WIFEXITED(slot.wait_status) && WEXITSTATUS(slot.wait_status) == 0 &&
      slot.reason == Reason::kNone && !stopping_) {
    const Text<256> line(
        "posix-daemon: %sworker %d ended and left %d process%s, which had to be killed: "
        "a program that is watched must stay in the foreground\n",
        name.c_str(), index, slot.left, slot.left == 1 ? "" : "es");
    logs_.Note(line.c_str(), line.size());
  }
  if (next == kGivenUp) {
    const Text<256> line("posix-daemon: %sworker %d is given up: %s, after %zu restarts within %" PRIu64 " ms\n",
                         name.c_str(), index, HowItEnded(slot).c_str(), supervision_.policy.max_restarts,
                         supervision_.policy.window_ms);
    logs_.Note(line.c_str(), line.size());
  }
}

}  // namespace posix_daemon
