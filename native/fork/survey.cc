#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../startup_pipes.h"
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

// Reads where the link of `fd` points to; empty if it can't be read.
static void ReadLink(int fd, char* link, size_t size) {
  char path[32] = "/proc/self/fd/";
  AppendNumber(path, static_cast<unsigned>(fd));
  const ssize_t length = readlink(path, link, size - 1);
  link[length < 0 ? 0 : length] = '\0';
}

// What only refers to an object of the kernel's, without a state that a process would take something out of.
static bool IsReference(const char* link) {
  constexpr const char* kReferences[] = {
      "anon_inode:[pidfd]",  "anon_inode:bpf-map", "anon_inode:bpf-prog",           "anon_inode:bpf_link",
      "anon_inode:bpf-link", "anon_inode:btf",     "anon_inode:[landlock-ruleset]", "anon_inode:sync_file",
  };
  for (const char* reference : kReferences) {
    if (strcmp(link, reference) == 0) return true;
  }
  return false;
}

int Descriptors::Refuse(int error, const char* what, int fd) {
  strncpy(subject_, what, sizeof subject_ - 32);
  subject_[sizeof subject_ - 32] = '\0';
  if (fd != -1) {
    constexpr char kNumber[] = ", descriptor ";
    memcpy(subject_ + strlen(subject_), kNumber, sizeof kNumber);
    AppendNumber(subject_, static_cast<unsigned>(fd));
  }
  return error;
}

int Descriptors::SurveyAnonymous(int fdinfo, int fd) {
  char link[64];
  ReadLink(fd, link, sizeof link);
  if (IsReference(link)) return 0;
  char name[16] = "";
  AppendNumber(name, static_cast<unsigned>(fd));
  uint32_t flags = 0;
  int error = 0;
  // Calls visit(line) for what is of this kind of file.
  const auto read = [&](auto visit) {
    const int text = openat(fdinfo, name, O_RDONLY | O_CLOEXEC);
    if (!EachLine(text, [&](const char* line) {
          if (Skip(&line, "flags:")) {
            flags = ParseOctal(line);
          } else {
            visit(line);
          }
        })) {
      error = errno;
    }
  };
  uint64_t number;
  if (strcmp(link, "anon_inode:[eventfd]") == 0) {
    EventFd eventfd = {fd, 0, 0, 0, false};
    read([&](const char* line) {
      if (NumberAfter(line, "eventfd-count:", 16, &number)) eventfd.count = number;
      if (NumberAfter(line, "eventfd-id:", 10, &number)) eventfd.id = number + 1;
      if (NumberAfter(line, "eventfd-semaphore:", 10, &number)) eventfd.semaphore = number != 0;
    });
    eventfd.flags = flags;
    eventfds_.Push(eventfd);
  } else if (strcmp(link, "anon_inode:[eventpoll]") == 0) {
    read([&](const char* line) {
      EpollEntry entry = {fd, -1, 0, 0};
      if (!NumberAfter(line, "tfd:", 10, &number)) return;
      entry.fd = static_cast<int>(number);
      if (NumberAfter(line, "events:", 16, &number)) entry.events = static_cast<uint32_t>(number);
      NumberAfter(line, "data:", 16, &entry.data);
      entries_.Push(entry);
    });
    epolls_.Push({fd, flags});
  } else if (strcmp(link, "anon_inode:inotify") == 0 || strcmp(link, "anon_inode:[inotify]") == 0) {
    bool watches = false;
    read([&](const char* line) { watches = watches || strncmp(line, "inotify wd:", 11) == 0; });
    inotifies_.Push({fd, flags, watches, false});
  } else if (strcmp(link, "anon_inode:[signalfd]") == 0) {
    uint64_t mask = 0;
    read([&](const char* line) { NumberAfter(line, "sigmask:", 16, &mask); });
    signalfds_.Push({fd, flags, mask});
  } else if (strcmp(link, "anon_inode:[timerfd]") == 0) {
    TimerFd timer = {fd, 0, 0, 0, 0, 0, {}, 0};
    // It may tick between the two, and be counted twice. One that is faster than this is off by one.
    constexpr int kAttempts = 8;
    for (int attempt = 0; attempt < kAttempts && error == 0; attempt++) {
      error = ReadLeft(&timer);
      const int64_t left_before = timer.left_ns;
      read([&](const char* line) {
        NumberAfter(line, "clockid:", 10, &timer.clock);
        NumberAfter(line, "ticks:", 10, &timer.ticks);
        NumberAfter(line, "settime flags:", 8, &timer.settime_flags);
      });
      if (error == 0) error = ReadLeft(&timer);
      if (timer.left_ns <= left_before && (timer.left_ns > 0 || left_before == 0)) break;
    }
    timer.flags = flags;
    // The others wake the machine, and making one takes a right that was perhaps given up since.
    const bool known = timer.clock == CLOCK_REALTIME || timer.clock == CLOCK_MONOTONIC || timer.clock == CLOCK_BOOTTIME;
    if (error == 0 && !known) return Refuse(ENOTSUP, "timerfd of an alarm clock", fd);
    timers_.Push(timer);
  } else if (strcmp(link, "anon_inode:[io_uring]") == 0) {
    // Without the line, the kernel was at work in the ring.
    enum class Thread { kUnknown, kNone, kSome } thread = Thread::kUnknown;
    read([&](const char* line) {
      if (Skip(&line, "SqThread:")) thread = *line == '-' ? Thread::kNone : Thread::kSome;
    });
    if (error != 0) return error;
    if (thread == Thread::kSome) return Refuse(ENOTSUP, "io_uring with a thread of the kernel's", fd);
    IoUring ring = {fd, flags, 0, 0, 0, 0, 0, 0};
    error = thread == Thread::kUnknown ? EBUSY : SurveyIoUring(&ring);
    if (error == EBUSY) return Refuse(EBUSY, "io_uring with requests under way", fd);
    if (error != 0) return Refuse(error, "io_uring that isn't libuv's", fd);
    rings_.Push(ring);
  } else {
    return Refuse(ENOTSUP, link, fd);
  }
  return error;
}

int Descriptors::Survey(const uv_loop_t* loop, const std::set<ino_t>& user_pipes) {
  eventfds_.Clear();
  epolls_.Clear();
  entries_.Clear();
  pipes_.Clear();
  timers_.Clear();
  signalfds_.Clear();
  inotifies_.Clear();
  rings_.Clear();
  Refuse(0, "descriptors", -1);
  int error = 0;
  int highest = 0;
  const dev_t pipefs = TheStartupPipes().pipefs;
  const int fdinfo = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fdinfo == -1) return errno;
  const bool read = EachNumericEntry("/proc/self/fd", [&](int fd) {
    struct stat status;
    if (error != 0 || fstat(fd, &status) == -1) return;
    const bool anonymous = (status.st_mode & S_IFMT) == 0;
    if (anonymous) {
      error = SurveyAnonymous(fdinfo, fd);
    } else if (S_ISFIFO(status.st_mode) && status.st_dev == pipefs && fd > STDERR_FILENO) {
      error = SurveyPipe(fd, status.st_ino);
    } else {
      return;
    }
    if (fd > highest) highest = fd;
  });
  if (!read) error = errno;
  close(fdinfo);
  if (error != 0) return error;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && static_cast<rlim_t>(highest) >= limit.rlim_max) {
    return Refuse(EMFILE, "above RLIMIT_NOFILE's hard limit", highest);
  }
  const bool ok = eventfds_.ok() && epolls_.ok() && entries_.ok() && pipes_.ok() && timers_.ok() && signalfds_.ok() &&
                  inotifies_.ok() && rings_.ok();
  return ok ? CopyPipes(loop, user_pipes) : ENOMEM;
}

}  // namespace posix_daemon
