#include "sleepers.h"

#include "arch.h"
#include "rest.h"

namespace posix_daemon {

// A sum over the return addresses in the frames next to the place. What isn't an address of code is left out: it
// differs from one sleep to the next.
static uint64_t SumOfCallers(const Thread& thread, const RawVector<Mapping>& code) {
  constexpr size_t kFramesBytes = 1024;
  const uintptr_t start = StackPointer(thread.context);
  // Its descriptor lies above its stack; or the thread has changed its stack, and nobody knows where that one ends.
  const auto top = reinterpret_cast<uintptr_t>(thread.thread_pointer);
  const uintptr_t end = start >= top ? start : top - start < kFramesBytes ? top : start + kFramesBytes;
  uint64_t sum = 0xcbf29ce484222325;
  for (const auto* word = reinterpret_cast<const uint64_t*>(start); reinterpret_cast<uintptr_t>(word + 1) <= end;
       word++) {
    for (const Mapping& mapping : code) {
      if (*word >= mapping.start && *word < mapping.end) sum = (sum ^ *word) * 0x100000001b3;
    }
  }
  return sum;
}

bool Sleepers::AllWhereTheyHeldNothing(Threads* threads, const RawVector<Mapping>& mappings) {
  static RawVector<Mapping> code;
  code.Clear();
  for (const Mapping& mapping : mappings) {
    if (mapping.executable && mapping.kind == MappingKind::kFile) code.Push(mapping);
  }
  present_.Clear();
  const bool may_know = nothing_held_ != nullptr && nothing_held_->load(std::memory_order_acquire) != 0;
  bool all_known = may_know;
  for (size_t i = 0; i < threads->size(); i++) {
    const Thread& thread = (*threads)[i];
    if (thread.state.load(std::memory_order_relaxed) != ThreadState::kParked) continue;
    const Place place = {thread.tid, StackPointer(thread.context), InstructionPointer(thread.context),
                         SumOfCallers(thread, code), AtRest(thread.context, Demand::kAsleep)};
    present_.Push(place);
    bool known = false;
    for (size_t k = 0; all_known && k < known_.size(); k++) {
      const Place& then = known_[k];
      known = known || (then.tid == place.tid && then.stack_pointer == place.stack_pointer &&
                        then.instruction_pointer == place.instruction_pointer && then.callers == place.callers &&
                        then.asleep && place.asleep);
    }
    all_known = all_known && known;
  }
  return all_known && present_.ok();
}

void Sleepers::Remember(const std::atomic<int>* nothing_held) {
  known_.Clear();
  for (const Place& place : present_) known_.Push(place);
  nothing_held_ = nothing_held;
}

}  // namespace posix_daemon
