#include "log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "log_open.h"
#include "timestamp.h"

namespace posix_daemon {

namespace {

// Who never ends a line is not waited for for ever: beyond this, a line may be cut by a change of files.
constexpr uint64_t kEndlessLine = 1 << 20;

// The length of the whole lines that `text` begins with.
size_t WholeLines(const char* text, size_t length) {
  const void* const end = memrchr(text, '\n', length);
  return end == nullptr ? 0 : static_cast<const char*>(end) - text + 1;
}

size_t FirstLine(const char* text, size_t length) {
  const void* const end = memchr(text, '\n', length);
  return end == nullptr ? length : static_cast<const char*>(end) - text + 1;
}

}  // namespace

int LogFile::Open(const char* path, const LogOptions& options) {
  path_ = path;
  options_ = &options;
  const int fd = OpenLog(path, options);
  if (fd == -1) return errno;
  Use(fd);
  return 0;
}

void LogFile::Use(int fd) {
  if (fd_ != -1) close(fd_);
  fd_ = fd;
  open_stream_ = nullptr;
  struct stat status;
  const bool known = fstat(fd, &status) == 0;
  is_regular_ = known && S_ISREG(status.st_mode);
  keeps_nothing_ = known && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
  size_ = is_regular_ ? status.st_size : 0;
  limit_ = options_->max_bytes;
}

bool LogFile::BetweenLines() const { return open_stream_ == nullptr || open_length_ > kEndlessLine; }

void LogFile::Reopen() {
  if (fd_ == -1) return;
  const int fd = OpenLog(path_, *options_);
  if (fd == -1) return Say("could not be opened again", errno);
  if (next_fd_ != -1) close(next_fd_);
  next_fd_ = fd;
  Switch();
}

void LogFile::Switch() {
  if (next_fd_ == -1 || !BetweenLines()) return;
  Use(next_fd_);
  next_fd_ = -1;
}

// Always on: nobody who sees this file grow beyond its size would rather lose it.
void LogFile::Rotate() {
  if (!Renew()) limit_ = size_ + options_->max_bytes;
}

bool LogFile::Renew() {
  struct stat ours, named;
  if (options_->backups == 0) {
    if (ftruncate(fd_, 0) == -1) return false;
    size_ = 0;
    return true;
  }
  const bool same =
      fstat(fd_, &ours) == 0 && lstat(path_, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  // Somebody else has moved it away already: then there is nothing to shift.
  if (same) {
    const int error = ShiftBackups(path_, options_->backups);
    if (error != 0) {
      Say("could not be rotated", error);
      return false;
    }
  }
  const int fd = OpenLog(path_, *options_);
  if (fd == -1) {
    const int error = errno;
    if (same) UnshiftFirstBackup(path_);
    Say("could not be rotated", error);
    return false;
  }
  Use(fd);
  return true;
}

// How much of the text belongs into the present file; rotates it first if that is nothing.
size_t LogFile::Fit(const char* text, size_t length) {
  while (options_->max_bytes != 0 && is_regular_ && size_ + length > limit_) {
    const size_t room = limit_ > size_ ? limit_ - size_ : 0;
    const size_t whole = WholeLines(text, std::min<uint64_t>(room, length));
    if (whole > 0) return whole;
    // The file may have been emptied by others (copytruncate).
    struct stat status;
    if (fstat(fd_, &status) == 0 && static_cast<uint64_t>(status.st_size) != size_) {
      size_ = status.st_size;
      continue;
    }
    if (size_ == 0 || !BetweenLines()) return FirstLine(text, length);
    Rotate();
    if (limit_ <= size_) return FirstLine(text, length);
  }
  return length;
}

void LogFile::Append(const void* stream, const char* text, size_t length) {
  if (open_stream_ != nullptr && open_stream_ != stream && Write(open_stream_, "\n", 1)) Switch();
  if (lost_ != 0) WriteNote();
  if (lost_ != 0) return Lose(text, length, lost_error_);
  while (length > 0) {
    const size_t part = Fit(text, length);
    if (!Write(stream, text, part)) {
      // What is behind the part that failed would fail as well.
      if (length > part) Lose(text + part, length - part, lost_error_);
      return;
    }
    text += part;
    length -= part;
    Switch();
  }
}

// False when not all of it could be written; what is in the file then are whole lines, where that could be had.
bool LogFile::Write(const void* stream, const char* text, size_t length) {
  size_t written = 0;
  while (written < length) {
    const ssize_t count = write(fd_, text + written, length - written);
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = count == 0 ? ENOSPC : errno;
      const size_t whole = WholeLines(text, written);
      const size_t left = TakeBack(written - whole);
      size_ += whole + left;
      if (whole > 0) open_stream_ = nullptr;
      if (left > 0) {
        open_stream_ = stream;
        open_length_ = left;
      }
      Lose(text + whole, length - whole, error);
      return false;
    }
    written += count;
  }
  size_ += length;
  const size_t rest = length - WholeLines(text, length);
  open_length_ = rest == length ? (open_stream_ == nullptr ? 0 : open_length_) + rest : rest;
  open_stream_ = rest == 0 ? nullptr : stream;
  return true;
}

// Takes the begin of a line off the file's end again; answers what could not be taken.
size_t LogFile::TakeBack(size_t written_of_line) {
  if (written_of_line == 0 || !is_regular_) return written_of_line;
  struct stat status;
  // Where our last write ended is not the end when others have written since, or truncated.
  const off_t end = lseek(fd_, 0, SEEK_CUR);
  if (end == -1 || fstat(fd_, &status) == -1 || status.st_size != end) return written_of_line;
  return ftruncate(fd_, end - static_cast<off_t>(written_of_line)) == 0 ? 0 : written_of_line;
}

void LogFile::Lose(const char* text, size_t length, int error) {
  uint64_t lines = text[length - 1] == '\n' ? 0 : 1;
  for (const char* const end = text + length; text < end; lines++) {
    const void* const found = memchr(text, '\n', end - text);
    if (found == nullptr) break;
    text = static_cast<const char*>(found) + 1;
  }
  lost_ += lines;
  lost_error_ = error;
}

void LogFile::WriteNote() {
  const uint64_t lost = lost_;
  lost_ = 0;
  char what[64];
  snprintf(what, sizeof what, "lacks %" PRIu64 " line%s", lost, lost == 1 ? "" : "s");
  Say(what, lost_error_);
  if (lost_ != 0) lost_ = lost;  // The note itself is no loss.
}

// A line of the keeper's own. One that fits nowhere is given up, which is no loss of the program's.
void LogFile::Say(const char* what, int error) {
  char line[512];
  size_t length = 0;
  if (open_stream_ != nullptr) line[length++] = '\n';
  if (options_->timestamps) {
    WriteTimestamp(line + length);
    length += kTimestampSize;
  }
  length +=
      snprintf(line + length, sizeof line - length, "posix-daemon: %s %s: %s\n", "this log", what, strerror(error));
  Write(this, line, std::min(length, sizeof line - 1));
}

}  // namespace posix_daemon
