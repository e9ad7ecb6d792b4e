// How a forked process tells its parent that it is one.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>

#include "raw.h"

namespace posix_daemon {

// What a child reports when it isn't whole for a reason that the next one won't have: a mapping of V8's has taken the
// very place of another one's since it was looked at, or the kernel put a ring's memory elsewhere.
constexpr int kRepeatFork = ESTALE;

// A page shared by parent and child, in which the child tells whether it has become a whole process: it can fail to,
// at a limit of processes for one, and the parent's fork() must not have succeeded then.
class Handshake {
 public:
  Handshake() = default;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake() { Close(); }

  void Close() {
    if (page_ != nullptr) munmap(page_, sizeof(Page));
    page_ = nullptr;
  }

  // False with errno set if there is no memory. A page of its own for each fork: the child hands its copy on to no
  // children of its own.
  bool Open() {
    Close();
    void* page = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    page_ = static_cast<Page*>(page);
    return true;
  }

  // In the child.
  void Tell(int error) {
    page_->error = error;
    page_->told.store(1, std::memory_order_release);
    FutexWakeAll(&page_->told, true);
  }

  // The errno that was told, 0 if none.
  int told() const { return page_->error; }

  // In the one between, when it can't become what it is to be.
  void TellExec(int error) { page_->exec_error.store(error, std::memory_order_release); }
  // In the parent, once that one has left: the errno that it told, 0 if none.
  int exec_error() const { return page_->exec_error.load(std::memory_order_acquire); }

  // In the one between: its child is there, and has its memory.
  void Part() {
    page_->parted.store(1, std::memory_order_release);
    FutexWakeAll(&page_->parted, true);
  }

  // In the parent: what the child told, or EAGAIN if it was killed before it could. One that is stopped goes on: this
  // process would stand still with it.
  int Await(pid_t child) { return AwaitWord(&page_->told, child) ? page_->error : EAGAIN; }

  // In the parent: until the one between has parted, or died.
  void AwaitParting(pid_t between) { AwaitWord(&page_->parted, between); }

  // Whether a child is there that hasn't ended.
  static bool ContinueIfStopped(pid_t child) {
    siginfo_t info = {};
    const int result = waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
    if (result == -1) return errno != ECHILD;
    if (info.si_pid != child) return true;
    const bool stopped = info.si_code == CLD_STOPPED;
    if (stopped) kill(child, SIGCONT);
    return stopped;
  }

  // The pid of the second child of two, written by the kernel before that runs.
  pid_t* second() { return &page_->second; }

 private:
  // False if the child ends before the word is set.
  bool AwaitWord(std::atomic<int>* word, pid_t child) {
    constexpr int64_t kLookAgainNs = 10'000'000;
    constexpr int kLooksUntilStopped = 10;
    for (int looks = 1; word->load(std::memory_order_acquire) == 0; looks++) {
      if (FutexWait(word, 0, kLookAgainNs, true)) continue;
      // A death wakes no futex, and a pidfd to wait on as well could fail for want of descriptors; so a look now and
      // then.
      if (!ContinueIfStopped(child)) return word->load(std::memory_order_acquire) != 0;
      // A keeper's child tells nobody that it is stopped.
      if (looks % kLooksUntilStopped == 0 && *second() > 0 && *second() != child) kill(*second(), SIGCONT);
    }
    return true;
  }

  struct Page {
    std::atomic<int> told;
    std::atomic<int> parted;
    std::atomic<int> exec_error;
    int error;
    pid_t second;
  };
  Page* page_ = nullptr;
};

}  // namespace posix_daemon
