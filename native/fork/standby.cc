#include "standby.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace posix_daemon {

// A page of its own each time: the last one may be looked at still.
bool Standby::Open() {
  Close();
  void* page = mmap(nullptr, sizeof *given_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  given_ = static_cast<std::atomic<int>*>(page);
  return true;
}

void Standby::Close() {
  if (given_ != nullptr) munmap(given_, sizeof *given_);
  given_ = nullptr;
}

int Standby::Await(pid_t giver) {
  sigset_t all;
  sigfillset(&all);
  uint64_t meant = 0;
  int number;
  while ((number = given_->load(std::memory_order_acquire)) == 0) {
    siginfo_t info = {};
    const int signal = sigwaitinfo(&all, &info);
    if (signal <= 0 || info.si_code != SI_USER) continue;
    // The keeper's: the watchdog has died, and nothing will be given any more.
    if (info.si_pid == getppid()) syscall(SYS_exit_group, 0);
    // Of those that wait, the lowest number is taken first, and not the one that came first.
    if (info.si_pid == giver && signal != SIGCONT) meant |= uint64_t{1} << (signal - 1);
  }
  Close();
  // They wait until the mask is restored.
  for (int signal = 1; meant != 0; signal++, meant >>= 1) {
    if ((meant & 1) != 0) kill(getpid(), signal);
  }
  return number;
}

void Standby::Give(int number) {
  if (given_ != nullptr) given_->store(number, std::memory_order_release);
}

}  // namespace posix_daemon
