// The command line that ps shows, in memory of our own: /proc/PID/cmdline reads whatever lies between the mm's
// arg_start and arg_end, and PR_SET_MM_MAP moves these two. Writing into the original argv instead, as others do, ends
// where the environment begins or destroys it.
//
// PR_SET_MM_ARG_START and _END would touch nothing else, but need CAP_SYS_RESOURCE, and between the two calls every
// user of the machine could read what lies between the old area and the new one.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"
#include "heap_end.h"

namespace posix_daemon {

// One title's mapping. It has to be private and anonymous: /proc shows no other memory as a command line.
struct Area {
  char* start = nullptr;
  size_t size = 0;
};

static void Unmap(Area* area) {
  if (area->start != nullptr) munmap(area->start, area->size);
  *area = {};
}

// The title shown, and the one before: whoever began to read /proc/PID/cmdline before the switch still copies from
// there. It is unmapped at the next change. All static state belongs to the main thread.
static Area shown;
static Area previous;

struct Failure {
  int error;
  const char* syscall;
  const char* path;
};
static constexpr Failure kNone = {0, "", nullptr};

// The layout that the kernel keeps of this process; constant but for the arguments and the heap's end.
static Failure ReadLayout(prctl_mm_map* map) {
  static constexpr char kPath[] = "/proc/self/stat";
  const int fd = open(kPath, O_RDONLY | O_CLOEXEC);
  if (fd == -1) return {errno, "open", kPath};
  char text[2048];
  ssize_t length;
  do {
    length = read(fd, text, sizeof text - 1);
  } while (length == -1 && errno == EINTR);
  const int error = errno;
  close(fd);
  if (length == -1) return {error, "read", kPath};
  text[length] = '\0';

  // The second field is the program's name, with any character in it, parentheses and spaces too.
  const char* rest = strrchr(text, ')');
  unsigned long long start_code, end_code, start_stack, start_data, end_data, start_brk;
  unsigned long long arg_start, arg_end, env_start, env_end;
  if (rest == nullptr ||
      sscanf(rest,
             ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %*d %*u"
             " %llu %llu %llu %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %*d %*u %*u %*u %*u %*d"
             " %llu %llu %llu %llu %llu %llu %llu",
             &start_code, &end_code, &start_stack, &start_data, &end_data, &start_brk, &arg_start, &arg_end, &env_start,
             &env_end) != 10) {
    return {EPROTO, "read", kPath};
  }
  *map = {};
  map->start_code = start_code;
  map->end_code = end_code;
  map->start_stack = start_stack;
  map->start_data = start_data;
  map->end_data = end_data;
  map->start_brk = start_brk;
  map->env_start = env_start;
  map->env_end = env_end;
  // No auxv, which leaves the kernel's copy of it as it is, and no other executable.
  map->exe_fd = static_cast<uint32_t>(-1);
  return kNone;
}

static Failure PointArgumentsAt(const Area& area, prctl_mm_map map) {
  map.arg_start = reinterpret_cast<uint64_t>(area.start);
  map.arg_end = map.arg_start + area.size;
  HeapEnd heap_end(map.start_brk);
  do {
    map.brk = heap_end.value();
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == -1) return {errno, "prctl", nullptr};
  } while (!heap_end.Holds());
  return kNone;
}

// What the kernel keeps of a thread's name: 15 bytes, and no half character at the end of them.
static void NameThread(const std::string& title) {
  size_t length = title.size();
  if (length > 15) {
    length = 15;
    while (length > 0 && (title[length] & 0xC0) == 0x80) length--;
  }
  prctl(PR_SET_NAME, title.substr(0, length).c_str());
}

// Shows `title` as the command line, or fails with nothing changed.
static Failure Show(const std::string& title) {
  // Read once: the program may have changed its root to a place without /proc by the next time.
  static prctl_mm_map layout;
  static bool layout_known = false;
  if (!layout_known) {
    const Failure failure = ReadLayout(&layout);
    if (failure.error != 0) return failure;
    layout_known = true;
  }

  Area area;
  // The last byte must be NUL. Anything else tells the kernel that an old-style program has overwritten its arguments,
  // and then it shows no more than a page.
  area.size = title.size() + 1;
  void* memory = mmap(nullptr, area.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {errno, "mmap", nullptr};
  area.start = static_cast<char*>(memory);
  memcpy(area.start, title.data(), title.size());

  const Failure failure = PointArgumentsAt(area, layout);
  if (failure.error != 0) {
    Unmap(&area);
    return failure;
  }
  Unmap(&previous);
  previous = shown;
  shown = area;
  return kNone;
}

static Napi::Value Setproctitle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string title;
  if (!ReadString(info, 0, &title)) return env.Undefined();
  const auto [error, syscall, path] = Show(title);
  if (strcmp(syscall, "prctl") == 0) {
    char name[64];
    const std::string reason = std::string(uv_err_name_r(-error, name, sizeof name)) +
                               " from PR_SET_MM_MAP, which takes a kernel with CONFIG_CHECKPOINT_RESTORE, a seccomp "
                               "policy that lets it through, and no RLIMIT_DATA below the data in use";
    return ThrowErrno(env, ENOTSUP, syscall, {nullptr, nullptr, reason.c_str()});
  }
  if (error != 0) return ThrowErrno(env, error, syscall, {path});
  NameThread(title);
  return env.Undefined();
}

void RegisterTitle(Napi::Env env, Napi::Object exports) {
  exports.Set("setproctitle", Napi::Function::New<Setproctitle>(env, "setproctitle"));
}

}  // namespace posix_daemon
