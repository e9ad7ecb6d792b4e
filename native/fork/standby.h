// A forked process that waits, before any code of the program runs in it, until it is given something to do.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace posix_daemon {

class Standby {
 public:
  Standby() = default;
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;
  ~Standby() { Close(); }

  // In the parent, before the fork: forgets the last one. False with errno set if there is no memory.
  bool Open();

  // In the child, with all signals blocked in all threads: returns what it was given by that process. Every signal that
  // comes before is taken and does nothing, so that none is left to meet the program; what comes after is the
  // program's. But one that its parent sends ends it; and what the giver sends, but for SIGCONT, is the program's in
  // any case: it sends nothing before it gives, so it comes after, though the process may not have woken yet.
  int Await(pid_t giver);

  // In the parent: gives it `number`, not 0. It doesn't look until the next signal that it gets, best SIGCONT: it may
  // be stopped.
  void Give(int number);

 private:
  void Close();

  std::atomic<int>* given_ = nullptr;
};

}  // namespace posix_daemon
