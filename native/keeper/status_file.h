#pragma once

#include <sys/types.h>

#include <climits>
#include <cstdint>

namespace posix_daemon {

struct Slot;

// What is known of the program, for those who come later: a file of `key value` lines, always a complete one.
class StatusFile {
 public:
  // `path` null: there is none.
  explicit StatusFile(const char* path) : path_(path) {}

  // Each writes the file anew; an errno.
  int Starting();
  int Running(pid_t pid);
  // Of several programs, which may be started again. The slots stay where they are.
  int Supervising(const Slot* slots, int count, bool running);
  int Exited(int wait_status, bool asked);
  void Remove() const;

  const char* path() const { return path_; }

 private:
  int Write(const char* state, const char* ending) const;
  int WriteTemporary(const char* temporary, const char* text, size_t length) const;

  const char* path_;
  const Slot* slots_ = nullptr;
  int slot_count_ = 0;
  pid_t pid_ = 0;
  uint64_t start_ticks_ = 0;
  int64_t started_at_ = 0;
  char boot_id_[40] = "";
};

}  // namespace posix_daemon
