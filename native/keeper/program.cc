#include "program.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "cgroup.h"
#include "exec/inheritance.h"
#include "signals.h"

namespace posix_daemon {

namespace {

class Child {
 public:
  Child(const ProgramOptions& program, int failure_fd, pid_t keeper)
      : program_(program), failure_fd_(failure_fd), keeper_(keeper) {}

  [[noreturn]] void Run(const int (&streams)[2]);

 private:
  void PlaceDescriptors(const int (&streams)[2]);
  void GiveAwayPipes(const int (&streams)[2]);
  void SetLimits();
  void ChangeRoot();
  void DropPrivileges();
  void TieToKeeper();

  // Ends the child when a call of this step has failed.
  template <typename Result>
  Result Must(Step step, Result result) const {
    if (result != -1) return result;
    const LaunchFailure failure = {step, errno};
    // When the keeper is gone, nobody is left to be told.
    if (write(failure_fd_, &failure, sizeof failure) == -1) _exit(126);
    _exit(127);
  }

  const ProgramOptions& program_;
  const int failure_fd_;
  const pid_t keeper_;
};

// The lock goes first: this process may not hold it when the keeper is killed, and opening a FIFO can take for ever.
void Child::PlaceDescriptors(const int (&streams)[2]) {
  int kept[3];
  size_t count = 0;
  for (const int fd : {streams[0], streams[1], failure_fd_}) {
    if (fd == -1) continue;
    size_t place = count++;
    for (; place > 0 && kept[place - 1] > fd; place--) kept[place] = kept[place - 1];
    kept[place] = fd;
  }
  Must(Step::kCloseRange, CloseExcept(kept, count) ? 0 : -1);
  const int input = Must(Step::kOpen, open(program_.input, O_RDONLY | O_NOCTTY | O_CLOEXEC));
  Must(Step::kDup, dup2(input, STDIN_FILENO));
  for (int i = 0; i < 2; i++) {
    if (streams[i] != -1) Must(Step::kDup, dup2(streams[i], STDOUT_FILENO + i));
  }
}

// Or a program that opens /dev/stderr as its own user would be refused its own log.
void Child::GiveAwayPipes(const int (&streams)[2]) {
  for (const int fd : streams) {
    struct stat status;
    const bool is_pipe = fd != -1 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
    if (is_pipe && program_.uid && fchown(fd, *program_.uid, static_cast<gid_t>(-1)) == -1) return;
  }
}

void Child::SetLimits() {
  for (size_t i = 0; i < program_.limit_count; i++) {
    const auto& [resource, limit] = program_.limits[i];
    Must(Step::kSetrlimit, setrlimit(static_cast<__rlimit_resource_t>(resource), &limit));
  }
  if (program_.nice) Must(Step::kSetpriority, setpriority(PRIO_PROCESS, 0, *program_.nice));
}

void Child::ChangeRoot() {
  if (program_.root == nullptr) return;
  Must(Step::kChroot, chroot(program_.root));
  // A working directory outside of the root is a way out of it.
  Must(Step::kChroot, chdir("/"));
}

void Child::DropPrivileges() {
  if (program_.groups != nullptr) Must(Step::kSetgroups, setgroups(program_.group_count, program_.groups));
  if (program_.gid) Must(Step::kSetgid, setresgid(*program_.gid, *program_.gid, *program_.gid));
  if (program_.uid) Must(Step::kSetuid, setresuid(*program_.uid, *program_.uid, *program_.uid));
}

// A keeper that died before the signal was armed sends none: then there is another parent by now.
void Child::TieToKeeper() {
  Must(Step::kPrctl, prctl(PR_SET_PDEATHSIG, SIGKILL));
  if (getppid() != keeper_) kill(getpid(), SIGKILL);
}

// The order is that of forkExec, whose RunChild tells why. The tie comes twice: a change of ids loosens it.
void Child::Run(const int (&streams)[2]) {
  TieToKeeper();
  if (program_.leads_group) Must(Step::kSetpgid, setpgid(0, 0));
  if (program_.umask) umask(*program_.umask);
  PlaceDescriptors(streams);
  GiveAwayPipes(streams);
  SetLimits();
  ChangeRoot();
  DropPrivileges();
  if (program_.directory != nullptr) Must(Step::kChdir, chdir(program_.directory));
  TieToKeeper();
  ResetSignals();
  Must(Step::kExecve, execve(program_.file, program_.argv, environ));
  _exit(127);
}

}  // namespace

const char* PathOf(Step step, const ProgramOptions& program) {
  switch (step) {
    case Step::kOpen:
      return program.input;
    case Step::kChroot:
      return program.root;
    case Step::kChdir:
      return program.directory;
    case Step::kExecve:
      return program.file;
    default:
      return "";
  }
}

// A pipe here, not shared memory as forkExec has it: the keeper doesn't wait but polls, and has descriptors to spare.
pid_t StartProgram(const ProgramOptions& program, const int (&streams)[2], int cgroup_fd, int* failure_fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) return -1;
  const pid_t keeper = getpid();
  const pid_t pid = Cgroup::Fork(cgroup_fd);
  if (pid == 0) Child(program, ends[1], keeper).Run(streams);
  const int error = errno;
  close(ends[1]);
  if (pid == -1) {
    close(ends[0]);
    errno = error;
    return -1;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *failure_fd = ends[0];
  return pid;
}

}  // namespace posix_daemon
