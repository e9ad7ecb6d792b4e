#include "child.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "inheritance.h"

namespace posix_daemon {

namespace {

// What the kernel takes for struct sigaction: wherever it puts flags, restorer and mask, the handler is the first word
// and all zero means SIG_DFL. The libc's sigaction() refuses the two signals it keeps for itself, 32 and 33.
struct KernelAction {
  void* handler;
  unsigned long rest[3];
};

constexpr int kSignals = 64;
constexpr size_t kSignalSetSize = kSignals / 8;

class Child {
 public:
  Child(Plan& plan, Outcome& outcome) : plan_(plan), outcome_(outcome) {}

  [[noreturn]] ENDS_CHILD void Run();

 private:
  // What the detached child needs: a few frames of the calls below.
  static constexpr size_t kDetachedStack = 32 << 10;

  static ENDS_CHILD int Go(void* child) { static_cast<Child*>(child)->GoOn(); }
  [[noreturn]] ENDS_CHILD void GoOn();
  void EnterSession();
  void Detach();
  void AdjustOomScore();
  void HoldDescriptors();
  void PlaceDescriptors();
  void SetLimits();
  void ChangeRoot();
  void DropPrivileges();
  void EnterDirectory();
  void TieToParent();
  void ResetSignals();
  void Execute();

  void Begin(Step step, size_t item = 0) {
    outcome_.item = static_cast<int>(item);
    outcome_.step = step;
  }

  // Ends the child when a call of the current step has failed.
  template <typename Result>
  ENDS_CHILD Result Must(Result result) {
    if (result == -1) {
      outcome_.error = errno;
      _exit(127);
    }
    return result;
  }

  Plan& plan_;
  Outcome& outcome_;
};

void Child::EnterSession() {
  if (plan_.setsid) {
    Begin(Step::kSetsid);
    Must(setsid());
  }
  if (plan_.setpgid) {
    Begin(Step::kSetpgid);
    Must(setpgid(0, *plan_.setpgid));
  }
}

// The one that leads the session ends here; its child goes on and can't get a controlling terminal any more. The memory
// is copied this time: if the leader is killed while it waits, the caller's thread goes on, and whoever still ran in
// the caller's memory then would be running in memory that is used for something else. The stack isn't copied
// (launch.cc maps it shared): the second child has one of its own, in this frame, lest the leader come back to frames
// that were overwritten.
void Child::Detach() {
  if (!plan_.detach) return;
  Begin(Step::kDetach);
  alignas(16) char stack[kDetachedStack];
  constexpr int kFlags = CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD;
  Must(clone(Go, stack + sizeof stack, kFlags, this, &outcome_.detached));
  _exit(0);
}

// The kernel leaves the parent's score alone although the memory is shared: it makes an exception for vfork.
void Child::AdjustOomScore() {
  if (plan_.oom_score_adj.empty()) return;
  Begin(Step::kOomScoreAdj);
  const int fd = Must(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  Must(write(fd, plan_.oom_score_adj.data(), plan_.oom_score_adj.size()));
  close(fd);
}

// Moves every source above all the targets, so that putting one in place overwrites no other that is still to come.
void Child::HoldDescriptors() {
  int above = 3;
  // All are looked at before anything is opened: a number that is free in the parent would be taken by then.
  for (size_t i = 0; i < plan_.descriptors.size(); i++) {
    const DescriptorPlan& descriptor = plan_.descriptors[i];
    above = std::max(above, descriptor.target + 1);
    Begin(Step::kDup, i);
    if (descriptor.source != -1) Must(fcntl(descriptor.source, F_GETFD));
  }
  for (size_t i = 0; i < plan_.descriptors.size(); i++) {
    DescriptorPlan& descriptor = plan_.descriptors[i];
    if (!descriptor.path.empty()) {
      Begin(Step::kOpen, i);
      const int opened = Must(open(descriptor.path.c_str(), descriptor.flags | O_CLOEXEC, 0666));
      Begin(Step::kDup, i);
      descriptor.lifted = Must(fcntl(opened, F_DUPFD_CLOEXEC, above));
      close(opened);
    } else if (descriptor.source != -1) {
      Begin(Step::kDup, i);
      descriptor.lifted = Must(fcntl(descriptor.source, F_DUPFD_CLOEXEC, above));
    }
  }
}

void Child::PlaceDescriptors() {
  for (size_t i = 0; i < plan_.descriptors.size(); i++) {
    const DescriptorPlan& descriptor = plan_.descriptors[i];
    Begin(Step::kDup, i);
    if (descriptor.lifted != -1) {
      Must(dup2(descriptor.lifted, descriptor.target));
    } else if (fcntl(descriptor.target, F_SETFD, 0) == -1 && errno != EBADF) {
      Must(-1);  // Inheriting a closed descriptor is inheriting nothing; no other failure is harmless.
    }
  }
  // Closed now, not left to the exec: that lets the parent go on before it closes anything, and a lock that the parent
  // gives up next would still be held.
  Begin(Step::kCloseRange);
  Must(CloseExcept(plan_.kept.data(), plan_.kept.size()) ? 0 : -1);
  if (plan_.ctty) {
    Begin(Step::kTiocsctty);
    Must(ioctl(*plan_.ctty, TIOCSCTTY, 0));
  }
}

void Child::SetLimits() {
  for (size_t i = 0; i < plan_.rlimits.size(); i++) {
    Begin(Step::kSetrlimit, i);
    Must(setrlimit(static_cast<__rlimit_resource_t>(plan_.rlimits[i].resource), &plan_.rlimits[i].limit));
  }
  if (plan_.nice) {
    Begin(Step::kSetpriority);
    Must(setpriority(PRIO_PROCESS, 0, *plan_.nice));
  }
}

void Child::ChangeRoot() {
  if (!plan_.chroot) return;
  Begin(Step::kChroot);
  Must(chroot(plan_.chroot->c_str()));
  // A working directory outside of the root is a way out of it.
  Must(chdir("/"));
}

// The system calls themselves: the libc's setuid() and its kin signal every thread of the process they think they are
// in, and in shared memory that is the parent.
void Child::DropPrivileges() {
  if (plan_.groups) {
    Begin(Step::kSetgroups);
    Must(syscall(SYS_setgroups, plan_.groups->size(), plan_.groups->data()));
  }
  if (plan_.gid) {
    Begin(Step::kSetgid);
    Must(syscall(SYS_setresgid, *plan_.gid, *plan_.gid, *plan_.gid));
  }
  if (plan_.uid) {
    Begin(Step::kSetuid);
    Must(syscall(SYS_setresuid, *plan_.uid, *plan_.uid, *plan_.uid));
  }
}

void Child::EnterDirectory() {
  if (!plan_.cwd) return;
  Begin(Step::kChdir);
  Must(chdir(plan_.cwd->c_str()));
}

// A parent that died before the signal was armed sends none: then the child has another parent by now.
void Child::TieToParent() {
  if (plan_.pdeathsig == 0) return;
  Begin(Step::kPrctl);
  Must(prctl(PR_SET_PDEATHSIG, plan_.pdeathsig));
  // 0 is a parent outside of the child's PID namespace (`unshare --pid` without --fork), about which nothing is known.
  const pid_t parent = getppid();
  if (parent != plan_.parent && parent != 0) kill(getpid(), SIGKILL);
}

// Handlers must be gone before the mask opens: one would run in the parent's memory. An exec takes them away anyhow,
// but leaves ignored signals ignored (Node ignores SIGPIPE and SIGXFSZ), which few programs expect.
void Child::ResetSignals() {
  Begin(Step::kSignals);
  const KernelAction by_default = {};
  for (int signal = 1; signal <= kSignals; signal++) {
    if (!plan_.reset_signals) {
      KernelAction action;
      if (syscall(SYS_rt_sigaction, signal, nullptr, &action, kSignalSetSize) == -1) continue;
      if (action.handler == reinterpret_cast<void*>(SIG_IGN)) continue;
    }
    // Fails for SIGKILL and SIGSTOP only, whose disposition nobody can change.
    syscall(SYS_rt_sigaction, signal, &by_default, nullptr, kSignalSetSize);
  }
  Must(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &plan_.signal_mask, nullptr, kSignalSetSize));
}

void Child::Execute() {
  Begin(Step::kExecve);
  Must(execve(plan_.file.c_str(), plan_.argv.data(), plan_.env.data()));
}

// The order, and why:
//  1. Session and group: the terminal of step 6 needs the session. The second fork here, where there is nothing yet
//     that must not be done twice.
//  2. umask before files are created.
//  3. The OOM score while /proc is the caller's.
//  4. Files are opened as the caller would: with its privileges, in its root and its working directory, as a shell does
//     for redirections in front of `chroot` or `su`. A jail rarely has a /dev/null, and /var/log is not the user's.
//  5. Descriptors before the limits (a low RLIMIT_NOFILE would refuse the move) and before the ids change (that makes
//     /proc/self/fd root's, which an old kernel needs to find what to close).
//  6. The terminal by its number in the new program.
//  7. Limits and niceness while there is the privilege to raise them.
//  8. Root, then groups, gid, uid: each needs the privilege that the last one gives up.
//  9. The working directory as the new user: a home on NFS may be closed to root, and a directory that the user may not
//     enter is an error, not a gift.
// 10. The parent's death signal after the ids, whose change clears it.
// 11. Signals last: until then nothing can interrupt or run in here.
ENDS_CHILD void Child::Run() {
  EnterSession();
  Detach();
  GoOn();
}

ENDS_CHILD void Child::GoOn() {
  if (plan_.umask) umask(*plan_.umask);
  AdjustOomScore();
  HoldDescriptors();
  PlaceDescriptors();
  SetLimits();
  ChangeRoot();
  DropPrivileges();
  EnterDirectory();
  TieToParent();
  ResetSignals();
  Execute();
  _exit(127);
}

}  // namespace

ENDS_CHILD void RunChild(Plan& plan, Outcome& outcome) { Child(plan, outcome).Run(); }

}  // namespace posix_daemon
