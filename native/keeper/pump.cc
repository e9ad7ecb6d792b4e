#include "pump.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "timestamp.h"

namespace posix_daemon {

void Pump::Start(int fd, LogFile* log, bool timestamps) {
  fd_ = fd;
  log_ = log;
  timestamps_ = timestamps;
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

void Pump::Read() { ReadUpTo(kCapacity); }

// Bounded by what is there at this moment: whoever keeps writing is not listened to for ever.
void Pump::Finish() {
  int available = 0;
  if (fd_ == -1 || ioctl(fd_, FIONREAD, &available) == -1) return;
  for (size_t left = available; left > 0 && fd_ != -1;) {
    const size_t count = ReadUpTo(left);
    if (count == 0) break;
    left -= count;
  }
  if (fd_ != -1) Close();
}

size_t Pump::ReadUpTo(size_t limit) {
  ssize_t count;
  do {
    count = read(fd_, buffer_ + length_, std::min(limit, kCapacity - length_));
  } while (count == -1 && errno == EINTR);
  if (count == -1 && errno == EAGAIN) return 0;
  if (count <= 0) {
    Close();
    return 0;
  }
  // What was there before has no line's end in it.
  const void* const end = memrchr(buffer_ + length_, '\n', count);
  length_ += count;
  if (end != nullptr) {
    PassOn(static_cast<const char*>(end) - buffer_ + 1);
  } else if (length_ == kCapacity) {
    PassOn(length_);
  }
  return count;
}

void Pump::PassOn(size_t length) {
  log_->Append(this, buffer_, length);
  length_ -= length;
  memmove(buffer_, buffer_ + length, length_);
}

// The next one to write to this log begins with a line of its own.
void Pump::Close() {
  if (length_ > 0) {
    buffer_[length_++] = '\n';
    PassOn(length_);
  }
  close(fd_);
  fd_ = -1;
}

}  // namespace posix_daemon
