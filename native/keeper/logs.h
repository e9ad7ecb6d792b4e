#pragma once

#include <poll.h>

#include <cstdint>

#include "log_file.h"
#include "options.h"
#include "pump.h"

namespace posix_daemon {

// The logs of standard output and standard error, which may be one.
class Logs {
 public:
  explicit Logs(const LogOptions& options) : options_(options) {}

  // Opens what the options name. An errno, with the path it is about.
  int Open(const char** failed_path);

  // Logs what comes out of this pipe.
  void Connect(int stream, int read_fd);
  // Makes the pipe: its write end for the program in `fd`, -1 where the stream isn't logged. An errno.
  int MakePipe(int stream, int* fd);

  // A line of the supervisor's own, in the log of standard error, or of standard output, or on standard error itself.
  void Note(const char* line, size_t length);

  void Reopen();
  // What is in the pipes by now, then the end of them.
  void Finish();
  // Whether any pipe is still open.
  bool active() const { return pumps_[0].fd() != -1 || pumps_[1].fd() != -1; }

  static constexpr size_t kPolled = 2;
  void Prepare(pollfd* polled) const;
  void Handle(const pollfd* polled);

  // Polls no longer than this many milliseconds; false when nothing has come. Meanwhile looks for room for the notes of
  // lines that are lost, which nothing but trying finds.
  bool Wait(pollfd* polled, size_t count, uint64_t limit_ms);
  static constexpr uint64_t kForEver = UINT64_MAX;

 private:
  void WriteNotes();
  LogFile* FileOf(int stream);

  const LogOptions& options_;
  LogFile files_[2];
  Pump pumps_[2];
};

}  // namespace posix_daemon
