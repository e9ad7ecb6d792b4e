// execve for a living Node process: what Node changed of what a program inherits is undone first. Each class here puts
// its change back when it goes out of scope, which only a failed execve lets happen.
#include "replace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "inheritance.h"

namespace posix_daemon {

namespace {

constexpr const char* kListing = "/proc/self/fd";

// Descriptor flags of the whole process.
class Inheritance {
 public:
  // Answers an errno.
  int Restrict(const std::vector<int>& kept) {
    if (const int error = Remember(); error != 0) return error;
    if (!CloseOnExecExcept(kept.data(), kept.size())) return errno;
    for (int fd = 0; fd <= 2; fd++) fcntl(fd, F_SETFD, 0);  // One that isn't open needs no change.
    for (const int fd : kept) {
      if (fcntl(fd, F_SETFD, 0) == -1) return errno;
    }
    return 0;
  }
  ~Inheritance() {
    for (const auto& [fd, flags] : before_) fcntl(fd, F_SETFD, flags);
  }

 private:
  int Remember() {
    DIR* const listing = opendir(kListing);
    if (listing == nullptr) return errno;
    while (const dirent* const entry = readdir(listing)) {
      const int fd = static_cast<int>(strtol(entry->d_name, nullptr, 10));  // 0 for "." and "..": listed twice more.
      const int flags = fcntl(fd, F_GETFD);
      if (flags != -1 && fd != dirfd(listing)) before_.emplace_back(fd, flags);
    }
    closedir(listing);
    return 0;
  }

  std::vector<std::pair<int, int>> before_;
};

// libuv makes the pipes and sockets it finds at 0 to 2 non-blocking, and that belongs to the open file, not to the
// process: `cat` would fail with EAGAIN. Terminals it opens a second time for itself.
class BlockingStdio {
 public:
  BlockingStdio() {
    for (int fd = 0; fd <= 2; fd++) {
      struct stat status;
      if (fstat(fd, &status) == -1 || !(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) continue;
      const int flags = fcntl(fd, F_GETFL);
      if (flags == -1 || (flags & O_NONBLOCK) == 0) continue;
      if (fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0) before_[fd] = flags;
    }
  }
  ~BlockingStdio() {
    for (int fd = 0; fd <= 2; fd++) {
      if (before_[fd] != -1) fcntl(fd, F_SETFL, before_[fd]);
    }
  }

 private:
  int before_[3] = {-1, -1, -1};
};

// Raw mode would stay on with nobody left to end it.
class PlainTerminal {
 public:
  PlainTerminal() {
    for (int fd = 0; fd <= 2; fd++) is_terminal_[fd] = tcgetattr(fd, &before_[fd]) == 0;
    uv_tty_reset_mode();
  }
  ~PlainTerminal() {
    for (int fd = 0; fd <= 2; fd++) {
      termios now;
      if (!is_terminal_[fd] || tcgetattr(fd, &now) == -1) continue;
      // Only where it differs: setting it from a background process group stops the process.
      if (now.c_lflag != before_[fd].c_lflag || now.c_iflag != before_[fd].c_iflag ||
          now.c_oflag != before_[fd].c_oflag || now.c_cflag != before_[fd].c_cflag) {
        tcsetattr(fd, TCSANOW, &before_[fd]);
      }
    }
  }

 private:
  bool is_terminal_[3];
  termios before_[3];
};

// Node ignores these two for itself, and ignored is the one disposition that outlives an exec.
class DefaultSignals {
 public:
  DefaultSignals() {
    for (size_t i = 0; i < kCount; i++) {
      struct sigaction by_default = {};
      by_default.sa_handler = SIG_DFL;
      sigaction(kSignals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &by_default, nullptr);
    }
  }
  ~DefaultSignals() {
    for (size_t i = 0; i < kCount; i++) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr size_t kCount = 2;
  static constexpr int kSignals[kCount] = {SIGPIPE, SIGXFSZ};
  struct sigaction before_[kCount];
};

}  // namespace

ReplaceFailure Replace(const std::string& path, const CStrings& argv, const CStrings& env,
                       const std::vector<int>& kept) {
  Inheritance inheritance;
  if (const int error = inheritance.Restrict(kept); error != 0) return {error, kListing};
  const BlockingStdio blocking;
  const PlainTerminal terminal;
  const DefaultSignals signals;
  execve(path.c_str(), argv.data(), env.data());
  return {errno, path.c_str()};  // Read before the destructors run.
}

}  // namespace posix_daemon
