// The few tools of live fork's critical section: from the first parked thread to the last one released no lock can be
// taken that a parked thread may hold. So no malloc, no stdio, no opendir: system calls and memory of our own.
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace posix_daemon {

// A growing array in memory of its own, which never moves: the list of mappings that is being read into one must not be
// made wrong by it. Grows until the machine is out of memory or the address space set aside is full; `ok` tells, once,
// at the end.
template <typename T>
class RawVector {
 public:
  RawVector() = default;
  RawVector(const RawVector&) = delete;
  RawVector& operator=(const RawVector&) = delete;
  ~RawVector() {
    if (data_ != nullptr) munmap(data_, kReserved);
  }

  // Nullptr when there is no more room.
  T* Push(const T& value) {
    if (size_ == capacity_ && !Grow()) return nullptr;
    data_[size_] = value;
    return &data_[size_++];
  }
  void Clear() { size_ = 0; }
  void Truncate(size_t size) { size_ = size; }
  bool ok() const { return ok_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  static constexpr size_t kReserved = size_t{64} << 20;

  bool Grow() {
    if (data_ == nullptr) {
      void* reserved = mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (reserved == MAP_FAILED) return ok_ = false;
      data_ = static_cast<T*>(reserved);
    }
    const size_t used = usable_ == 0 ? 16384 : usable_ * 2;
    if (used > kReserved || mprotect(data_, used, PROT_READ | PROT_WRITE) == -1) return ok_ = false;
    usable_ = used;
    capacity_ = used / sizeof(T);
    return true;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t usable_ = 0;
  bool ok_ = true;
};

inline pid_t RawGettid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

inline int64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Waits until *word differs from `value`, a wake-up comes, or the time-out (ns; negative: none) has passed, which it
// tells by false.
inline bool FutexWait(std::atomic<int>* word, int value, int64_t timeout_ns, bool shared) {
  const timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  const long result = syscall(SYS_futex, word, shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, value,
                              timeout_ns < 0 ? nullptr : &timeout, nullptr, 0);
  return result != -1 || errno != ETIMEDOUT;
}

inline void Pause(int64_t ns) {
  std::atomic<int> nobody_wakes_it{0};
  FutexWait(&nobody_wakes_it, 0, ns, false);
}

inline void FutexWakeAll(std::atomic<int>* word, bool shared) {
  syscall(SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0);
}

// Appends `value` in decimal to the path that `buffer` holds.
inline void AppendNumber(char* buffer, unsigned value) {
  char digits[12];
  int n = 0;
  do {
    digits[n++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  char* end = buffer + strlen(buffer);
  while (n > 0) *end++ = digits[--n];
  *end = '\0';
}

// Reads a number at *text in base 10 or 16 and moves past it; false where there is no digit.
inline bool ParseNumber(const char** text, int base, uint64_t* value) {
  const char* p = *text;
  uint64_t result = 0;
  for (;; p++) {
    int digit;
    if (*p >= '0' && *p <= '9') {
      digit = *p - '0';
    } else if (base == 16 && *p >= 'a' && *p <= 'f') {
      digit = *p - 'a' + 10;
    } else {
      break;
    }
    result = result * base + digit;
  }
  if (p == *text) return false;
  *text = p;
  *value = result;
  return true;
}

// Calls visit(number) for each numeric entry of a folder such as /proc/self/task. False: errno tells.
template <typename Visit>
bool EachNumericEntry(const char* folder, Visit visit) {
  struct Entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
  };
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd == -1) return false;
  alignas(8) char buffer[8192];
  long bytes;
  while ((bytes = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      const char* name = entry->name;
      uint64_t number;
      if (ParseNumber(&name, 10, &number) && *name == '\0') {
        visit(static_cast<int>(number));
      }
      at += entry->length;
    }
  }
  const int error = errno;
  close(fd);
  errno = error;
  return bytes == 0;
}

// Calls visit(line) for each line of an open file, and closes it; lines longer than the buffer are cut. False: errno
// tells, that of the open if `fd` is -1.
template <typename Visit>
bool EachLine(int fd, Visit visit) {
  if (fd == -1) return false;
  char buffer[8192];
  size_t held = 0;
  ssize_t bytes;
  while ((bytes = read(fd, buffer + held, sizeof buffer - 1 - held)) > 0) {
    held += static_cast<size_t>(bytes);
    buffer[held] = '\0';
    char* line = buffer;
    for (char* end; (end = strchr(line, '\n')) != nullptr; line = end + 1) {
      *end = '\0';
      visit(static_cast<const char*>(line));
    }
    held = static_cast<size_t>(buffer + held - line);
    if (held == sizeof buffer - 1) held = 0;
    memmove(buffer, line, held);
  }
  const int error = errno;
  close(fd);
  errno = error;
  return bytes == 0;
}

}  // namespace posix_daemon
