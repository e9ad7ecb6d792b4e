// The pipes with which this process began: inherited ones, and those that Node made before any code of the program ran.
// From outside they look the same, for Node marks inherited descriptors close-on-exec. fork() has to know: an inherited
// pipe (a make's jobserver) is shared with other processes, and stays so; Node's are its own.
#pragma once

#include <sys/types.h>

#include <set>

namespace posix_daemon {

struct StartupPipes {
  dev_t pipefs;            // a FIFO of a file system has another one
  std::set<ino_t> inodes;  // but for those that are certainly of one of Node's loops
  // By which libuv keeps its signal handlers from each other: it holds one byte. 0 if there was none.
  ino_t signal_lock = 0;
};

// Noted by the first call, which the loading of the addon makes.
const StartupPipes& TheStartupPipes();

}  // namespace posix_daemon
