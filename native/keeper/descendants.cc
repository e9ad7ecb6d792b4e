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

// A child's pid is its own until it is reaped here: only children are killed by number, and what they leave behind
// comes up to be a child itself.
size_t KillListed(char* list) {
  size_t killed = 0;
  for (char* rest = list; *rest != '\0';) {
    char* end;
    const long pid = strtol(rest, &end, 10);
    if (end == rest) break;
    rest = end;
    killed += pid > 0 && kill(static_cast<pid_t>(pid), SIGKILL) == 0;
  }
  return killed;
}

pid_t ParentOf(pid_t pid) {
  char text[512];
  if (ReadSmallFile(Text<32>("/proc/%d/stat", pid).c_str(), text, sizeof text) <= 0) return -1;
  const char* const rest = strrchr(text, ')');
  int parent = -1;
  return rest != nullptr && sscanf(rest, ") %*c %d", &parent) == 1 ? parent : -1;
}

// For a kernel without /proc/PID/task/TID/children.
size_t KillScanned() {
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return 0;
  size_t killed = 0;
  while (const dirent* entry = readdir(processes)) {
    const pid_t pid = static_cast<pid_t>(atoi(entry->d_name));
    if (pid > 0 && ParentOf(pid) == getpid()) killed += kill(pid, SIGKILL) == 0;
  }
  closedir(processes);
  return killed;
}

// How many children were sent the signal: at least one, if there is one that can be.
size_t KillChildren() {
  // A part of a longer list is as good: there is another round. A number that the buffer's end cuts is no child, or
  // one.
  char list[4096];
  const ssize_t length = ReadSmallFile("/proc/thread-self/children", list, sizeof list);
  if (length < 0) return KillScanned();
  if (static_cast<size_t>(length) == sizeof list - 1) *strrchr(list, ' ') = '\0';
  return KillListed(list);
}

}  // namespace

void KillDescendants() {
  constexpr timespec kPause = {0, 20'000'000};
  for (int in_vain = 0;;) {
    const size_t killed = KillChildren();
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
