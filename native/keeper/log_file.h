#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "options.h"

namespace posix_daemon {

// A log that several streams write to, line by line.
class LogFile {
 public:
  // An errno.
  int Open(const char* path, const LogOptions& options);

  // Takes the file that has the path now, as soon as no line is half written; goes on with the old one if that fails.
  void Reopen();

  // Appends whole lines or, of a line that is too long for its stream's buffer, a piece. What can't be written is
  // counted and given up, so that nobody waits for room.
  void Append(const void* stream, const char* text, size_t length);

  // Whether lines are missing that the file doesn't tell of yet, and an attempt to tell.
  bool owes_note() const { return lost_ != 0; }
  void WriteNote();

  bool is_open() const { return fd_ != -1; }
  // The descriptor, when the file keeps nothing and the program may as well write to it itself; else -1.
  int null_fd() const { return keeps_nothing_ ? fd_ : -1; }
  const char* path() const { return path_; }

 private:
  bool BetweenLines() const;
  void Use(int fd);
  void Switch();
  void Rotate();
  bool Renew();
  size_t Fit(const char* text, size_t length);
  bool Write(const void* stream, const char* text, size_t length);
  size_t TakeBack(size_t written_of_line);
  void Lose(const char* text, size_t length, int error);
  void Say(const char* what, int error);

  int fd_ = -1;
  const char* path_ = nullptr;
  const LogOptions* options_ = nullptr;
  bool is_regular_ = false;
  bool keeps_nothing_ = false;
  // As far as known; others may truncate it.
  uint64_t size_ = 0;
  // The size above which it is to be rotated.
  uint64_t limit_ = 0;
  // The file of Reopen() that waits for the end of a line.
  int next_fd_ = -1;
  // Whose line the file ends in the middle of, and how long that line is by now.
  const void* open_stream_ = nullptr;
  uint64_t open_length_ = 0;
  uint64_t lost_ = 0;
  int lost_error_ = 0;
};

}  // namespace posix_daemon
