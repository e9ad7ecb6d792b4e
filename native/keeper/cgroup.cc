#include "cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace posix_daemon {

Cgroup::Cgroup(const char* parent, pid_t guard) {
  if (parent != nullptr) path_.Append("%s/posix-daemon-%d", parent, guard);
}

bool Cgroup::Write(const char* file, const char* text) const {
  const int fd = open(Text<PATH_MAX>("%s/%s", path_.c_str(), file).c_str(), O_WRONLY | O_CLOEXEC);
  if (fd == -1) return false;
  const auto length = static_cast<ssize_t>(strlen(text));
  const bool written = write(fd, text, length) == length;
  close(fd);
  return written;
}

bool Cgroup::Enclose(pid_t pid) const {
  if (path_.size() == 0) return false;
  // What a guard with the same pid has left is as good: it is empty, or it couldn't have been left.
  mkdir(path_.c_str(), 0755);
  return Write("cgroup.procs", Text<16>("%d", pid).c_str());
}

void Cgroup::Kill() const {
  if (path_.size() > 0) Write("cgroup.kill", "1");
}

void Cgroup::Remove() const {
  if (path_.size() > 0) rmdir(path_.c_str());
}

}  // namespace posix_daemon
