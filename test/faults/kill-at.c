// Runs a program that calls daemonize(), and kills one of the processes that take part at a system call of one's
// choice:
//
//   kill-at ROLE N COMMAND [ARGUMENT…]
//
// ROLE is 0 for the starter, 1 for the first child, 2 for the daemon; N counts that process's main thread's system
// calls, the starter's from its first getpriority() on, at the entry of each; without those by which fork() looks at
// the heap. It prints, when the starter has ended,
//
//   ROLE CALLS NUMBER STATUS
//
// the calls counted, the number of the system call it was killed at (-1: none), and the starter's status as waitpid()
// has it.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kRoles = 3, kTasks = 4096 };

struct Task {
  pid_t tid;
  int role;         // -1: of no interest
  int exit_signal;  // what the process that it is about to make will send
};

static struct Task tasks[kTasks];
static pid_t processes[kRoles];
static int marked;

static struct Task* Find(pid_t tid) {
  struct Task* free_one = NULL;
  for (int i = 0; i < kTasks; i++) {
    if (tasks[i].tid == tid) return &tasks[i];
    if (tasks[i].tid == 0 && free_one == NULL) free_one = &tasks[i];
  }
  if (free_one == NULL) abort();
  *free_one = (struct Task){tid, -1, 0};
  return free_one;
}

static pid_t ProcessOf(pid_t tid) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", tid);
  FILE* file = fopen(path, "r");
  pid_t process = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) sscanf(line, "Tgid: %d", &process);
  if (file != NULL) fclose(file);
  return process;
}

// The number of the system call that a task is at the entry of; -1 at its exit.
static long CallOf(pid_t tid, struct Task* task) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void*)sizeof info, &info) <= 0) return -1;
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return -1;
  if (info.entry.nr == SYS_clone) task->exit_signal = (int)(info.entry.args[0] & CSIGNAL);
  return (long)info.entry.nr;
}

// A process that takes part gets its role from who made it. Main threads only: the steps are theirs.
static void Meet(pid_t creator, pid_t tid) {
  // fork() looks at the memory from a process that sends no signal when it ends.
  if (ProcessOf(tid) != tid || Find(creator)->exit_signal != SIGCHLD) return;
  const int role = Find(creator)->role;
  if (role == 0 && marked && processes[1] == 0) {
    processes[1] = tid;
    Find(tid)->role = 1;
  } else if (role == 1 && processes[2] == 0) {
    processes[2] = tid;
    Find(tid)->role = 2;
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int victim = atoi(argv[1]);
  const long when = atol(argv[2]);
  int seized[2];
  if (pipe(seized) == -1) return 3;
  const pid_t starter = fork();
  if (starter == 0) {
    char byte;
    close(seized[1]);
    if (read(seized[0], &byte, 1) != 0) _exit(127);
    close(seized[0]);
    execvp(argv[3], argv + 3);
    _exit(127);
  }
  // Not PTRACE_TRACEME: with that, new tasks get a SIGSTOP, which stays with them when this tracer ends before it came.
  const long options =
      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  if (ptrace(PTRACE_SEIZE, starter, NULL, (void*)options) == -1) return 3;
  ptrace(PTRACE_INTERRUPT, starter, NULL, NULL);
  processes[0] = starter;
  Find(starter)->role = 0;
  close(seized[0]);
  close(seized[1]);

  int status;
  long calls = 0;
  long killed_at = -1;
  for (;;) {
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid == -1) {
      if (errno == EINTR) continue;
      return 3;
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (tid == starter) break;
      Find(tid)->tid = 0;
      continue;
    }
    struct Task* task = Find(tid);
    const int event = status >> 16;
    int signal = 0;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
      unsigned long made = 0;
      ptrace(PTRACE_GETEVENTMSG, tid, NULL, &made);
      Meet(tid, (pid_t)made);
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      const long call = CallOf(tid, task);
      if (task->role == 0 && call == SYS_getpriority) marked = 1;
      // By the thousand, where fork() looks for held mutexes.
      const int dull = call == SYS_getpid || call == SYS_process_vm_readv;
      if (call != -1 && !dull && task->role == victim && (victim != 0 || marked) && ++calls == when) {
        killed_at = call;
        kill(tid, SIGKILL);
      }
    } else if (event == 0) {
      signal = WSTOPSIG(status);
    }
    // A new task may stop before who made it tells.
    ptrace(task->role == -1 && ProcessOf(tid) != tid ? PTRACE_CONT : PTRACE_SYSCALL, tid, NULL, (void*)(long)signal);
  }
  printf("%d %ld %ld %d\n", victim, calls, killed_at, status);
  // Whoever is left is let go of by the kernel, and runs on.
  return 0;
}
