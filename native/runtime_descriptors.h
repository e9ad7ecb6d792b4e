// Tells the descriptors that the running Node lives on from those of the program. Node keeps no list of its own, and
// worker threads and the inspector have event loops that nothing points to, so /proc/self/fd is asked what each
// descriptor is.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <vector>

namespace posix_daemon {

enum class DescriptorUse {
  kProgram,   // a file, a socket, a pipe of pipe(), anything that isn't one of the following
  kEpoll,     // event loops: also those of other addons, which look no different
  kEventfd,   // how a thread wakes a loop
  kIoUring,   // libuv batches epoll_ctl and file operations through these
  kInotify,   // fs.watch
  kSelfPipe,  // libuv's signal delivery and its lock: both ends here, close-on-exec, not made by pipe()
  kReserve,   // /dev/null, read-only: libuv's spare, given up for an accept() when no descriptor is left
  kTerminal,  // the terminal of 0, 1 or 2, which libuv opens once more for process.stdout and its siblings
};

struct OpenDescriptor {
  int fd;
  DescriptorUse use;
  ino_t pipe;  // the pipe's inode; 0 if it is none
};

// Whether closing or replacing it breaks an event loop at once.
inline bool IsEventLoop(DescriptorUse use) { return use >= DescriptorUse::kEpoll && use <= DescriptorUse::kSelfPipe; }

// The highest descriptor of the main loop, which is made before any JavaScript runs. What is below it and isn't Node's
// was open before: descriptors are given out from the lowest free number.
int LastOfBootstrap(const uv_loop_t* main_loop);

// Lists what is open, in ascending order. Returns 0 or an errno, that of opening /proc/self/fd.
int ListOpenDescriptors(std::vector<OpenDescriptor>* descriptors);

}  // namespace posix_daemon
