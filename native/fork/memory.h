// V8 keeps its heap out of forks (MADV_DONTFORK), so that to start a program stays cheap in a big process. A live fork
// needs the heap in the child, and must put the marks back after: without them child_process.spawn took 22 ms instead
// of 1.6 in a process of 218 MiB.
#pragma once

#include <cstdint>

#include "mappings.h"

namespace posix_daemon {

class Memory {
 public:
  // From now on every private mapping is in a fork; notes in each whether it wasn't before. 0 or an errno.
  int Include(RawVector<Mapping>* mappings);

  // In both processes: what was kept out of forks before is so again.
  void Exclude();

 private:
  struct Range {
    uintptr_t start;
    uintptr_t end;
  };

  int LearnExcluded();
  bool IsExcluded(const Mapping& mapping) const;

  // V8's heap, known by its address: kept out. A range covers a row of mappings with nothing else between them.
  RawVector<Range> heap_;
  // The other anonymous mappings, as they were when it was last looked which of them are kept out…
  RawVector<Range> others_;
  // …and these were.
  RawVector<Range> excluded_;
};

}  // namespace posix_daemon
