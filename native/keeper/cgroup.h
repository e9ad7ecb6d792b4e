#pragma once

#include <sys/types.h>

#include <climits>

#include "text.h"

namespace posix_daemon {

// A cgroup (v2) for one program and all that it starts, below a folder that can be written. Everything about it is an
// addition to killing by parentage, which works without.
class Cgroup {
 public:
  // That of the guard with this pid; not there yet. `parent` null: there is none.
  Cgroup(const char* parent, pid_t guard);

  // Makes it and moves a process in. False if that can't be.
  bool Enclose(pid_t pid) const;
  // Kills everything that is in it: other users' processes as well, and what forks faster than one could look.
  void Kill() const;
  // Takes it away, once everything in it has ended.
  void Remove() const;

 private:
  bool Write(const char* file, const char* text) const;

  Text<PATH_MAX> path_;
};

}  // namespace posix_daemon
