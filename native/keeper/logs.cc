#include "logs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clock.h"

namespace posix_daemon {

namespace {

constexpr uint64_t kNoteRetryMs = 1000;

}  // namespace

int Logs::Open(const char** failed_path) {
  for (int stream = 0; stream < 2; stream++) {
    LogFile* const file = FileOf(stream);
    if (file == nullptr || file->is_open()) continue;
    const int error = file->Open(options_.paths[stream], options_);
    if (error != 0) {
      *failed_path = options_.paths[stream];
      return error;
    }
  }
  return 0;
}

LogFile* Logs::FileOf(int stream) {
  const char* const path = options_.paths[stream];
  if (path == nullptr) return nullptr;
  const bool shared = options_.paths[0] != nullptr && strcmp(path, options_.paths[0]) == 0;
  return &files_[shared ? 0 : stream];
}

void Logs::Connect(int stream, int read_fd) { pumps_[stream].Start(read_fd, FileOf(stream), options_.timestamps); }

int Logs::MakePipe(int stream, int* fd) {
  *fd = -1;
  const LogFile* const file = FileOf(stream);
  if (file == nullptr) return 0;
  if (file->null_fd() != -1) {
    *fd = fcntl(file->null_fd(), F_DUPFD_CLOEXEC, 3);
    return *fd == -1 ? errno : 0;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) return errno;
  Connect(stream, ends[0]);
  *fd = ends[1];
  return 0;
}

void Logs::Note(const char* line, size_t length) {
  for (const int stream : {1, 0}) {
    LogFile* const file = FileOf(stream);
    if (file != nullptr && file->is_open()) return file->Append(this, line, length);
  }
  // Nobody may read it.
  pollfd error_output = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&error_output, 1, 0) != 1) return;
  if (write(STDERR_FILENO, line, length) == -1) return;
}

void Logs::Reopen() {
  for (LogFile& file : files_) file.Reopen();
}

void Logs::Finish() {
  for (Pump& pump : pumps_) pump.Finish();
  WriteNotes();
}

void Logs::Prepare(pollfd* polled) const {
  for (size_t i = 0; i < kPolled; i++) polled[i] = {pumps_[i].fd(), POLLIN, 0};
}

void Logs::Handle(const pollfd* polled) {
  for (size_t i = 0; i < kPolled; i++) {
    if (polled[i].revents != 0) pumps_[i].Read();
  }
}

bool Logs::Wait(pollfd* polled, size_t count, uint64_t limit_ms) {
  const bool owes_notes = files_[0].owes_note() || files_[1].owes_note();
  const uint64_t waited_ms = owes_notes ? std::min(limit_ms, kNoteRetryMs) : limit_ms;
  const timespec timeout = Milliseconds(waited_ms);
  const int ready = ppoll(polled, count, waited_ms == kForEver ? nullptr : &timeout, nullptr);
  if (ready == 0 && owes_notes) WriteNotes();
  return ready > 0;
}

void Logs::WriteNotes() {
  for (LogFile& file : files_) {
    if (file.owes_note()) file.WriteNote();
  }
}

}  // namespace posix_daemon
