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

  // Makes it; a descriptor of it, for Fork(), or -1.
  int Make() const;
  // Moves a process in that is there already; what that has started before stays outside. False if it can't be.
  bool Enclose(pid_t pid) const;
  // fork(2), with the child in the cgroup of that descriptor; anywhere if that is -1 or can't be.
  static pid_t Fork(int cgroup_fd);
  // Kills everything that is in it: other users' processes as well, and what forks faster than one could look.
  void Kill() const;
  // Takes it away, once everything in it has ended.
  void Remove() const;

 private:
  bool Write(const char* file, const char* text) const;

  Text<PATH_MAX> path_;
};

}  // namespace posix_daemon
