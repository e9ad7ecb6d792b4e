#include "runtime_descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "user_pipes.h"

namespace posix_daemon {

namespace {

constexpr char kDescriptors[] = "/proc/self/fd";

struct PipeEnds {
  bool read = false;
  bool write = false;
  bool cloexec = true;
};

// anon_inode:[eventpoll], anon_inode:[eventfd], anon_inode:[io_uring], and anon_inode:inotify without brackets.
DescriptorUse UseOfAnonymous(const std::string& link) {
  if (link == "anon_inode:[eventpoll]") return DescriptorUse::kEpoll;
  if (link == "anon_inode:[eventfd]") return DescriptorUse::kEventfd;
  if (link == "anon_inode:[io_uring]") return DescriptorUse::kIoUring;
  if (link == "anon_inode:inotify" || link == "anon_inode:[inotify]") return DescriptorUse::kInotify;
  return DescriptorUse::kProgram;
}

std::string LinkOf(int fd) {
  const std::string path = std::string(kDescriptors) + "/" + std::to_string(fd);
  char link[64];  // enough for the names above; a longer one is none of them
  const ssize_t length = readlink(path.c_str(), link, sizeof link);
  return length == -1 ? std::string() : std::string(link, static_cast<size_t>(length));
}

// libuv doesn't write to the terminal it was given, whose file description other processes share and would see turned
// non-blocking, but to one it opens anew and puts in the old one's place as well.
bool IsStandardTerminal(int fd, const struct stat& status) {
  if (fd <= STDERR_FILENO || !isatty(fd)) return false;
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++) {
    struct stat other;
    if (fstat(standard, &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino) return true;
  }
  return false;
}

DescriptorUse UseOfDevice(int fd, int flags, const struct stat& status) {
  const bool null = status.st_rdev == makedev(1, 3);
  if (null && fd > STDERR_FILENO && (flags & O_ACCMODE) == O_RDONLY) return DescriptorUse::kReserve;
  return IsStandardTerminal(fd, status) ? DescriptorUse::kTerminal : DescriptorUse::kProgram;
}

}  // namespace

int LastOfBootstrap(const uv_loop_t* main_loop) {
  return std::max({uv_backend_fd(main_loop), main_loop->async_io_watcher.fd, main_loop->signal_pipefd[0],
                   main_loop->signal_pipefd[1]});
}

int ListOpenDescriptors(std::vector<OpenDescriptor>* descriptors) {
  DIR* directory = opendir(kDescriptors);
  if (directory == nullptr) return errno;
  descriptors->clear();
  std::map<ino_t, PipeEnds> pipes;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    const int fd = atoi(entry->d_name);
    if (fd == dirfd(directory)) continue;
    struct stat status;
    const int flags = fcntl(fd, F_GETFL);
    const int own_flags = fcntl(fd, F_GETFD);
    // Another thread closed it since.
    if (flags == -1 || own_flags == -1 || fstat(fd, &status) == -1) continue;
    const bool cloexec = (own_flags & FD_CLOEXEC) != 0;
    OpenDescriptor open = {fd, DescriptorUse::kProgram, 0};
    if (S_ISFIFO(status.st_mode)) {
      open.pipe = status.st_ino;
      PipeEnds& ends = pipes[status.st_ino];
      if ((flags & O_ACCMODE) == O_RDONLY) ends.read = true;
      if ((flags & O_ACCMODE) == O_WRONLY) ends.write = true;
      ends.cloexec = ends.cloexec && cloexec;
    } else if (S_ISCHR(status.st_mode) && cloexec) {
      open.use = UseOfDevice(fd, flags, status);
    } else if ((status.st_mode & S_IFMT) == 0) {
      open.use = UseOfAnonymous(LinkOf(fd));
    }
    descriptors->push_back(open);
  }
  closedir(directory);

  for (OpenDescriptor& open : *descriptors) {
    if (open.pipe == 0) continue;
    const PipeEnds& ends = pipes[open.pipe];
    if (ends.read && ends.write && ends.cloexec && !IsUserPipe(open.pipe)) open.use = DescriptorUse::kSelfPipe;
  }
  std::sort(descriptors->begin(), descriptors->end(),
            [](const OpenDescriptor& a, const OpenDescriptor& b) { return a.fd < b.fd; });
  return 0;
}

}  // namespace posix_daemon
