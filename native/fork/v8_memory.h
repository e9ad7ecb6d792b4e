// V8 keeps its heap out of forks (MADV_DONTFORK), so that to start a program stays cheap in a big process. A live fork
// needs the heap in the child, and must put the marks back after: without them child_process.spawn took 22 ms instead
// of 1.6 in a process of 218 MiB.
//
// Which mappings have the mark is observed, and not guessed from where they lie: other allocators and runtimes choose
// addresses like V8's, and a wrongly marked one is missing in every program that anybody starts by fork and exec.
#pragma once

#include <cstdint>

#include "mappings.h"

namespace posix_daemon {

class V8Memory {
 public:
  // In the parent, with every thread parked: from now on every private anonymous mapping is in a fork. 0 or an errno.
  int Include(const RawVector<Mapping>& mappings);

  // In both processes: what was kept out of forks before is so again.
  void Exclude();

  // In the child: whether it has all that was thought to be in forks by itself.
  bool IsComplete() const;

  // What is known by now isn't true any more; the next Include looks at everything.
  void Forget() { known_.Clear(); }

 private:
  struct Range {
    uintptr_t start;
    uintptr_t end;
  };
  struct Observed {
    Range range;
    bool excluded;  // from forks
    bool probed;
  };

  const Observed* Find(const Mapping& mapping) const;
  int Probe(const RawVector<Mapping>& mappings);
  int Conclude();

  // The anonymous mappings, in order of address, as they were at the last fork.
  RawVector<Observed> known_;
  RawVector<Observed> present_;
  RawVector<Mapping> after_probe_;
  // Rows of mappings, so that one call is enough for several.
  RawVector<Range> excluded_;
};

}  // namespace posix_daemon
