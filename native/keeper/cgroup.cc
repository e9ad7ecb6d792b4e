#include "cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstring>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

namespace posix_daemon {

namespace {

// As clone(2) has them; the headers of older systems don't.
constexpr uint64_t kCloneIntoCgroup = 0x200000000;
struct CloneArguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

void MoveHere(int cgroup_fd) {
  const int fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (fd == -1) return;
  if (write(fd, "0", 1) == -1) return;
  close(fd);
}

}  // namespace

// Pids mean something within a PID namespace, and several may share a cgroup.
Cgroup::Cgroup(const char* parent, pid_t guard) {
  if (parent == nullptr) return;
  struct stat status = {};
  stat("/proc/self/ns/pid", &status);
  path_.Append("%s/posix-daemon-%lu-%d", parent, static_cast<unsigned long>(status.st_ino), guard);
}

bool Cgroup::Write(const char* file, const char* text) const {
  const int fd = open(Text<PATH_MAX>("%s/%s", path_.c_str(), file).c_str(), O_WRONLY | O_CLOEXEC);
  if (fd == -1) return false;
  const auto length = static_cast<ssize_t>(strlen(text));
  const bool written = write(fd, text, length) == length;
  close(fd);
  return written;
}

int Cgroup::Make() const {
  if (path_.size() == 0) return -1;
  // What a guard with the same pid has left is as good: it is empty, or it couldn't have been left.
  mkdir(path_.c_str(), 0755);
  return open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool Cgroup::Enclose(pid_t pid) const {
  const int fd = Make();
  if (fd == -1) return false;
  close(fd);
  return Write("cgroup.procs", Text<16>("%d", pid).c_str());
}

// The bare system call leaves the C library with a wrong idea of its thread's id, which the child doesn't use before
// its exec. Where it is refused, before Linux 5.7 and by some sandboxes, the child moves itself.
pid_t Cgroup::Fork(int cgroup_fd) {
  if (cgroup_fd == -1) return fork();
  CloneArguments arguments = {};
  arguments.flags = kCloneIntoCgroup;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(cgroup_fd);
  auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid != -1) return pid;
  pid = fork();
  if (pid == 0) MoveHere(cgroup_fd);
  return pid;
}

void Cgroup::Kill() const {
  if (path_.size() > 0) Write("cgroup.kill", "1");
}

void Cgroup::Remove() const {
  if (path_.size() > 0) rmdir(path_.c_str());
}

}  // namespace posix_daemon
