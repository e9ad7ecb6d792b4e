#pragma once

namespace posix_daemon {

// The file whose lock says that the daemon is there. The lock came with the descriptor and goes with the process.
class PidFile {
 public:
  // `path` null: there is none.
  PidFile(const char* path, int fd) : path_(path), fd_(fd) {}

  // Writes this process's number into it; an errno.
  int Write() const;
  // Takes the file away, as nothing is there any more that it could stand for.
  void Remove() const;
  // Gives the lock up before the process ends.
  void Unlock();

  const char* path() const { return path_; }

 private:
  const char* path_;
  int fd_;
};

}  // namespace posix_daemon
