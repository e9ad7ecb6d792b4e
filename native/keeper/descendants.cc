#include "descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "proc.h"
#include "text.h"

namespace posix_daemon {

namespace {

// How many of the listed were visited with success.
template <typename Visit>
size_t VisitListed(const char* list, Visit visit) {
  size_t count = 0;
  for (const char* rest = list; *rest != '\0';) {
    char* end;
    const long pid = strtol(rest, &end, 10);
    if (end == rest) break;
    rest = end;
    count += pid > 0 && visit(static_cast<pid_t>(pid));
  }
  return count;
}

// For a kernel without /proc/PID/task/TID/children.
template <typename Visit>
size_t VisitScanned(Visit visit) {
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return 0;
  size_t count = 0;
  while (const dirent* entry = readdir(processes)) {
    const pid_t pid = static_cast<pid_t>(atoi(entry->d_name));
    if (pid > 0 && ParentOf(pid) == getpid()) count += visit(pid);
  }
  closedir(processes);
  return count;
}

// A part of a longer list is as good: there is another round. A number that the buffer's end cuts is no child, or one.
template <typename Visit>
size_t VisitChildren(Visit visit) {
  char list[4096];
  const ssize_t length = ReadSmallFile("/proc/thread-self/children", list, sizeof list);
  if (length < 0) return VisitScanned(visit);
  if (static_cast<size_t>(length) == sizeof list - 1) *strrchr(list, ' ') = '\0';
  return VisitListed(list, visit);
}

// A child's pid is its own until it is reaped here: only children are killed by number, and what they leave behind
// comes up to be a child itself.
bool Kill(pid_t child) { return kill(child, SIGKILL) == 0; }

}  // namespace

int CountChildren() {
  return static_cast<int>(VisitChildren([](pid_t) { return true; }));
}

size_t KillChildrenBut(bool (*is_kept)(pid_t child, const void* context), const void* context) {
  return VisitChildren([=](pid_t child) { return !is_kept(child, context) && Kill(child); });
}

void KillDescendants() {
  constexpr timespec kPause = {0, 20'000'000};
  for (int in_vain = 0;;) {
    // At least one, if there is one that can be.
    const size_t killed = VisitChildren(Kill);
    pid_t reaped;
    // Waits for one, if there is one that will end.
    do {
      reaped = waitpid(-1, nullptr, killed == 0 ? WNOHANG : 0);
    } while (reaped == -1 && errno == EINTR);
    if (reaped == -1) return;  // ECHILD
    while (reaped > 0) reaped = waitpid(-1, nullptr, WNOHANG);
    in_vain = killed == 0 ? in_vain + 1 : 0;
    // What was just adopted isn't in every list yet.
    if (in_vain > 0 && in_vain < 100) sched_yield();
    // What has become another user can't be killed: `sudo` under an ordinary user. Its end would be told, but not that
    // it left children that can be.
    if (in_vain >= 100) nanosleep(&kPause, nullptr);
  }
}

}  // namespace posix_daemon
