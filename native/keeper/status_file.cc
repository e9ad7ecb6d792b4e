#include "status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "proc.h"
#include "signals.h"
#include "slot.h"
#include "text.h"

namespace posix_daemon {

int StatusFile::Starting() {
  if (path_ == nullptr) return 0;
  started_at_ = WallClock();
  if (ReadSmallFile("/proc/sys/kernel/random/boot_id", boot_id_, sizeof boot_id_) > 0) {
    boot_id_[strcspn(boot_id_, "\n")] = '\0';
  }
  return Write("starting", "");
}

int StatusFile::Running(pid_t pid) {
  pid_ = pid;
  start_ticks_ = ReadProcessStat(pid).start_ticks;
  return Write("running", "");
}

int StatusFile::Supervising(const Slot* slots, int count, bool running) {
  slots_ = slots;
  slot_count_ = count;
  pid_ = std::max(slots[0].program, 0);
  start_ticks_ = slots[0].start_ticks;
  return Write(running ? "running" : "starting", "");
}

int StatusFile::Exited(int wait_status, bool asked) {
  Text<128> ending;
  if (WIFEXITED(wait_status)) {
    ending.Append("exit-code %d\n", WEXITSTATUS(wait_status));
  } else {
    ending.Append("signal %s\n", SignalName(WTERMSIG(wait_status)).c_str());
  }
  ending.Append("ended-at %" PRId64 "\nasked %d\n", WallClock(), asked);
  return Write("exited", ending.c_str());
}

void StatusFile::Remove() const {
  if (path_ != nullptr) unlink(path_);
}

int StatusFile::Write(const char* state, const char* ending) const {
  if (path_ == nullptr) return 0;
  Text<512> text("state %s\n", state);
  if (pid_ != 0) text.Append("pid %d\nstart-ticks %" PRIu64 "\n", pid_, start_ticks_);
  text.Append("started-at %" PRId64 "\nboot-id %s\n%s", started_at_, boot_id_, ending);
  const Text<PATH_MAX + 16> temporary("%s.tmp", path_);
  int error = WriteTemporary(temporary.c_str(), text.c_str(), text.size());
  if (error == 0 && rename(temporary.c_str(), path_) == -1) error = errno;
  if (error != 0) unlink(temporary.c_str());
  return error;
}

static int WriteAll(int fd, const char* text, size_t length) {
  const ssize_t written = write(fd, text, length);
  if (written == -1) return errno;
  return static_cast<size_t>(written) == length ? 0 : ENOSPC;
}

static int WriteWorker(int fd, const Slot& slot, int index) {
  static constexpr const char* kStates[] = {"waiting", "starting", "starting", "running",
                                            "ending",  "finished", "given-up"};
  Text<256> line("worker %d state %s restarts %u", index, kStates[static_cast<int>(slot.state)], slot.restarts);
  if (slot.program != -1) {
    line.Append(" pid %d start-ticks %" PRIu64 " started-at %" PRId64, slot.program, slot.start_ticks,
                slot.started_at_wall);
  }
  if (slot.has_last) {
    line.Append(" last-wait-status %d last-ended-at %" PRId64, slot.last_wait_status, slot.last_ended_at_wall);
  }
  line.Append("\n");
  return WriteAll(fd, line.c_str(), line.size());
}

int StatusFile::WriteTemporary(const char* temporary, const char* text, size_t length) const {
  // What a keeper that was killed while it wrote has left. O_EXCL: whatever else lies there is not followed.
  unlink(temporary);
  const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -1) return errno;
  int error = WriteAll(fd, text, length);
  for (int i = 0; i < slot_count_ && error == 0; i++) error = WriteWorker(fd, slots_[i], i + 1);
  // 0600 as well where the umask has taken more away.
  if (error == 0 && fchmod(fd, 0600) == -1) error = errno;
  close(fd);
  return error;
}

}  // namespace posix_daemon
