// The floor under fork(): the bare clone of this process, memory and all, with a child that does nothing.
#include <napi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

struct Range {
  uintptr_t start;
  uintptr_t end;
};

int64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * int64_t{1000000000} + time.tv_nsec;
}

double Milliseconds(int64_t from, int64_t to) { return static_cast<double>(to - from) / 1e6; }

// The ranges that a fork would leave out: V8's heap, whose VmFlags have `dc` (don't copy).
std::vector<Range> RangesLeftOut() {
  std::vector<Range> ranges;
  FILE* smaps = fopen("/proc/self/smaps", "re");
  if (!smaps) return ranges;
  char line[512];
  Range current{};
  while (fgets(line, sizeof line, smaps)) {
    Range range;
    if (sscanf(line, "%lx-%lx ", &range.start, &range.end) == 2) {
      current = range;
    } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dc")) {
      ranges.push_back(current);
    }
  }
  fclose(smaps);
  return ranges;
}

// A range that V8 unmapped meanwhile, or a driver's that can't be copied, fails; the others are what matters.
void Advise(const std::vector<Range>& ranges, int advice) {
  for (const Range& range : ranges) {
    madvise(reinterpret_cast<void*>(range.start), range.end - range.start, advice);
  }
}

Napi::Value SystemError(Napi::Env env, const char* call) {
  int error = errno;
  Napi::Error::New(env, std::string(call) + ": " + strerror(error)).ThrowAsJavaScriptException();
  return env.Undefined();
}

// Milliseconds from the call of clone until it returned in the parent and until the child's first instruction. What
// prepares the clone, finding and marking the ranges, isn't counted.
Napi::Value RawClone(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  static auto* child_stamp =
      static_cast<int64_t*>(mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (child_stamp == MAP_FAILED) return SystemError(env, "mmap");

  // A signal handler must not run in the child: it has one thread and no event loop of its own.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const std::vector<Range> ranges = RangesLeftOut();
  Advise(ranges, MADV_DOFORK);

  const int64_t start = Now();
  // Without a stack or any address, the order of clone's arguments, which differs between machines, does not matter.
  const long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    *child_stamp = Now();
    syscall(SYS_exit_group, 0);
  }
  const int64_t returned = Now();
  const int error = errno;

  if (pid > 0) {
    while (waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) continue;
  }
  Advise(ranges, MADV_DONTFORK);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    errno = error;
    return SystemError(env, "clone");
  }
  Napi::Object sample = Napi::Object::New(env);
  sample["returned"] = Milliseconds(start, returned);
  sample["child"] = Milliseconds(start, *child_stamp);
  return sample;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports["rawClone"] = Napi::Function::New(env, RawClone, "rawClone");
  return exports;
}

}  // namespace

NODE_API_MODULE(bench, Init)
