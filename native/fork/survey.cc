#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptors.h"
#include "raw.h"

namespace posix_daemon {

// Moves *line past `key`; false where it doesn't begin with it.
static bool Skip(const char** line, const char* key) {
  const size_t length = strlen(key);
  if (strncmp(*line, key, length) != 0) return false;
  *line += length;
  while (**line == ' ' || **line == '\t') ++*line;
  return true;
}

// The number behind "key:" in the rest of a line.
static bool NumberAfter(const char* line, const char* key, int base, uint64_t* value) {
  const char* at = strstr(line, key);
  if (at == nullptr) return false;
  at += strlen(key);
  while (*at == ' ' || *at == '\t') at++;
  if (at[0] == '0' && at[1] == 'x') at += 2;
  return ParseNumber(&at, base, value);
}

static uint32_t ParseOctal(const char* text) {
  uint32_t value = 0;
  for (; *text >= '0' && *text <= '7'; text++) value = value * 8 + static_cast<uint32_t>(*text - '0');
  return value;
}

static bool LinkIs(int fd, const char* target) {
  char path[32] = "/proc/self/fd/";
  AppendNumber(path, static_cast<unsigned>(fd));
  char link[64];
  const ssize_t length = readlink(path, link, sizeof link - 1);
  if (length < 0) return false;
  link[length] = '\0';
  return strcmp(link, target) == 0;
}

int Descriptors::SurveyAnonymous(int fdinfo, int fd, uint64_t inode) {
  char name[16] = "";
  AppendNumber(name, static_cast<unsigned>(fd));
  enum class Kind { kUnknown, kEventFd, kEpoll, kInotify, kIoUring } kind = Kind::kUnknown;
  uint32_t flags = 0;
  EventFd eventfd = {fd, 0, 0, 0, false};
  IoUring ring = {fd, inode, 0, 0, 0};
  uint64_t sq_head = 0;
  uint64_t sq_tail = 0;
  uint64_t cq_head = 0;
  uint64_t cq_tail = 0;
  bool kernel_thread = false;
  const bool read = EachLine(openat(fdinfo, name, O_RDONLY | O_CLOEXEC), [&](const char* line) {
    uint64_t number;
    if (Skip(&line, "flags:")) {
      flags = ParseOctal(line);
    } else if (NumberAfter(line, "eventfd-count:", 16, &number)) {
      kind = Kind::kEventFd;
      eventfd.count = number;
    } else if (NumberAfter(line, "eventfd-id:", 10, &number)) {
      eventfd.id = number + 1;
    } else if (NumberAfter(line, "eventfd-semaphore:", 10, &number)) {
      eventfd.semaphore = number != 0;
    } else if (strncmp(line, "tfd:", 4) == 0) {
      kind = Kind::kEpoll;
      EpollEntry entry = {fd, -1, 0, 0};
      if (NumberAfter(line, "tfd:", 10, &number)) entry.fd = static_cast<int>(number);
      if (NumberAfter(line, "events:", 16, &number)) entry.events = static_cast<uint32_t>(number);
      NumberAfter(line, "data:", 16, &entry.data);
      entries_.Push(entry);
    } else if (Skip(&line, "inotify ")) {
      kind = Kind::kInotify;
      InotifyWatch watch = {fd, 0, 0};
      if (NumberAfter(line, "wd:", 16, &number)) watch.wd = static_cast<int>(number);
      if (NumberAfter(line, "mask:", 16, &number)) watch.mask = static_cast<uint32_t>(number);
      watches_.Push(watch);
    } else if (Skip(&line, "SqMask:")) {
      kind = Kind::kIoUring;
      if (NumberAfter(line, "0x", 16, &number)) ring.sq_entries = static_cast<uint32_t>(number) + 1;
    } else if (Skip(&line, "CqMask:")) {
      if (NumberAfter(line, "0x", 16, &number)) ring.cq_entries = static_cast<uint32_t>(number) + 1;
    } else if (NumberAfter(line, "CachedSqHead:", 10, &number) || NumberAfter(line, "CachedCqTail:", 10, &number)) {
      // Not what is in the ring's memory.
    } else if (NumberAfter(line, "SqHead:", 10, &number)) {
      sq_head = number;
    } else if (NumberAfter(line, "SqTail:", 10, &number)) {
      sq_tail = number;
    } else if (NumberAfter(line, "CqHead:", 10, &number)) {
      cq_head = number;
    } else if (NumberAfter(line, "CqTail:", 10, &number)) {
      cq_tail = number;
    } else if (Skip(&line, "SqThread:")) {
      kernel_thread = *line != '-';
    }
  });
  if (!read) return errno == ENOENT ? 0 : errno;
  // Without entries there is nothing in the text to know these two by.
  if (kind == Kind::kUnknown && LinkIs(fd, "anon_inode:[eventpoll]")) kind = Kind::kEpoll;
  if (kind == Kind::kUnknown && LinkIs(fd, "anon_inode:inotify")) kind = Kind::kInotify;
  switch (kind) {
    case Kind::kEventFd:
      eventfd.flags = flags;
      eventfds_.Push(eventfd);
      return 0;
    case Kind::kEpoll:
      epolls_.Push({fd, flags});
      return 0;
    case Kind::kInotify:
      inotifies_.Push({fd, flags});
      return 0;
    case Kind::kIoUring:
      if (kernel_thread) return ENOTSUP;
      if (sq_head != sq_tail || cq_head != cq_tail) return EBUSY;
      ring.flags = flags;
      rings_.Push(ring);
      return 0;
    default:
      return 0;
  }
}

int Descriptors::SurveyPipe(int fd, uint64_t inode) {
  const int flags = fcntl(fd, F_GETFL);
  const int descriptor_flags = fcntl(fd, F_GETFD);
  if (flags == -1 || descriptor_flags == -1) return 0;
  const bool writes = (flags & O_ACCMODE) == O_WRONLY;
  // What isn't close-on-exec was handed to this process, or is meant for another.
  const bool own = (descriptor_flags & FD_CLOEXEC) != 0 && (flags & O_ACCMODE) != O_RDWR;
  constexpr int kNotOwn = -2;
  for (SelfPipe& pipe : pipes_) {
    if (pipe.inode != inode) continue;
    int& end = writes ? pipe.write_fd : pipe.read_fd;
    end = end == -1 && own ? fd : kNotOwn;
    (writes ? pipe.write_flags : pipe.read_flags) = static_cast<uint32_t>(flags);
    return 0;
  }
  SelfPipe pipe = {inode, -1, -1, 0, 0, {-1, -1}};
  (writes ? pipe.write_fd : pipe.read_fd) = own ? fd : kNotOwn;
  (writes ? pipe.write_flags : pipe.read_flags) = static_cast<uint32_t>(flags);
  pipes_.Push(pipe);
  return 0;
}

// Leaves only the pipes of this process's own in pipes_.
int Descriptors::CopyPipes(const std::set<ino_t>& user_pipes) {
  size_t kept = 0;
  for (SelfPipe& pipe : pipes_) {
    if (pipe.read_fd < 0 || pipe.write_fd < 0 || user_pipes.count(pipe.inode) != 0) continue;
    int waiting = 0;
    if (ioctl(pipe.read_fd, FIONREAD, &waiting) == 0 && waiting > 0) {
      if (pipe2(pipe.copy, O_CLOEXEC) == -1) return errno;
      if (tee(pipe.read_fd, pipe.copy[1], static_cast<size_t>(waiting), SPLICE_F_NONBLOCK) == -1) return errno;
    }
    pipes_[kept++] = pipe;
  }
  pipes_.Truncate(kept);
  return 0;
}

int Descriptors::Survey(const std::set<ino_t>& user_pipes) {
  eventfds_.Clear();
  epolls_.Clear();
  entries_.Clear();
  pipes_.Clear();
  inotifies_.Clear();
  watches_.Clear();
  rings_.Clear();
  int error = 0;
  const int fdinfo = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fdinfo == -1) return errno;
  const bool read = EachNumericEntry("/proc/self/fd", [&](int fd) {
    struct stat status;
    if (error != 0 || fstat(fd, &status) == -1) return;
    if ((status.st_mode & S_IFMT) == 0) {
      error = SurveyAnonymous(fdinfo, fd, status.st_ino);
    } else if (S_ISFIFO(status.st_mode) && fd > STDERR_FILENO) {
      error = SurveyPipe(fd, status.st_ino);
    }
  });
  if (!read) error = errno;
  close(fdinfo);
  if (error != 0) return error;
  const bool ok =
      eventfds_.ok() && epolls_.ok() && entries_.ok() && pipes_.ok() && inotifies_.ok() && watches_.ok() && rings_.ok();
  return ok ? CopyPipes(user_pipes) : ENOMEM;
}

void Descriptors::Finish() {
  for (SelfPipe& pipe : pipes_) {
    for (int& fd : pipe.copy) {
      if (fd != -1) close(fd);
      fd = -1;
    }
  }
}

}  // namespace posix_daemon
