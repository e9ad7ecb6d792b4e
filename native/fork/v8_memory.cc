#include "v8_memory.h"

#include <algorithm>

namespace posix_daemon {

static bool Advise(uintptr_t start, uintptr_t end, int advice) {
  return madvise(reinterpret_cast<void*>(start), end - start, advice) == 0;
}

static const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));

const V8Memory::Observed* V8Memory::Find(const Mapping& mapping) const {
  const Observed* found =
      std::lower_bound(known_.begin(), known_.end(), mapping.start,
                       [](const Observed& observed, uintptr_t start) { return observed.range.start < start; });
  return found != known_.end() && found->range.start == mapping.start && found->range.end == mapping.end ? found
                                                                                                         : nullptr;
}

// No call reads the mark (smaps has it, after a walk over every page: 5 ms at 170 MiB). But to set it for the first
// page of a mapping changes nothing where it is set, and splits the mapping where it isn't, which shows in
// /proc/self/maps.
//
// A mapping that had the mark at the last fork is looked at again: the addresses may belong to somebody else by now.
// One that had none isn't, since to split and join it takes longer than what the child does instead (IsComplete).
int V8Memory::Probe(const RawVector<Mapping>& mappings) {
  present_.Clear();
  int error = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.kind != MappingKind::kAnonymous || error != 0) continue;
    const Observed* known = Find(mapping);
    Observed observed = {{mapping.start, mapping.end}, false, false};
    if (mapping.size() == page_size) {
      // It can't be split, and loses the mark for good: a guard page of V8's, which costs a fork nothing.
      if (known == nullptr && !Advise(mapping.start, mapping.end, MADV_DOFORK)) error = errno;
    } else if (known == nullptr || known->excluded) {
      observed.probed = Advise(mapping.start, mapping.start + page_size, MADV_DONTFORK);
      if (!observed.probed) error = errno;
    }
    present_.Push(observed);
  }
  return error != 0 ? error : present_.ok() ? 0 : ENOMEM;
}

int V8Memory::Conclude() {
  const int error = ReadMappings(&after_probe_);
  for (Observed& observed : present_) {
    if (!observed.probed) continue;
    const uintptr_t start = observed.range.start;
    const Mapping* of_second_page = MappingFrom(after_probe_, start + page_size);
    // Where that isn't known, one page too many without the mark does no harm, one with it would.
    observed.excluded = error == 0 && of_second_page != nullptr && of_second_page->start <= start;
    if (!observed.excluded) Advise(start, start + page_size, MADV_DOFORK);
  }
  return error;
}

int V8Memory::Include(const RawVector<Mapping>& mappings) {
  const int unprobed = Probe(mappings);
  const int unread = Conclude();
  excluded_.Clear();
  known_.Clear();
  if (unprobed != 0 || unread != 0) return unprobed != 0 ? unprobed : unread;
  for (const Observed& observed : present_) {
    known_.Push(observed);
    if (!observed.excluded) continue;
    const size_t rows = excluded_.size();
    if (rows > 0 && excluded_[rows - 1].end == observed.range.start) {
      excluded_[rows - 1].end = observed.range.end;
    } else {
      excluded_.Push(observed.range);
    }
  }
  int error = known_.ok() && excluded_.ok() ? 0 : ENOMEM;
  for (const Range& row : excluded_) {
    if (error == 0 && !Advise(row.start, row.end, MADV_DOFORK)) error = errno;
  }
  if (error != 0) Exclude();
  return error;
}

void V8Memory::Exclude() {
  for (const Range& row : excluded_) Advise(row.start, row.end, MADV_DONTFORK);
}

bool V8Memory::IsComplete() const {
  for (const Observed& observed : known_) {
    unsigned char resident;
    const bool unlooked = !observed.excluded && !observed.probed;
    if (unlooked && mincore(reinterpret_cast<void*>(observed.range.start), 1, &resident) == -1 && errno == ENOMEM) {
      return false;
    }
  }
  return true;
}

}  // namespace posix_daemon
