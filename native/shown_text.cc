// /proc/PID/cmdline reads whatever lies between the mm's arg_start and arg_end, /proc/PID/environ what is between
// env_start and env_end, and PR_SET_MM_MAP moves all four. Writing into the original argv instead, as others do, ends
// where the environment begins or destroys it.
//
// PR_SET_MM_ARG_START and its like would touch nothing else, but need CAP_SYS_RESOURCE, and between two such calls
// every user of the machine could read what lies between the old area and the new one.
#include "shown_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "heap_end.h"

namespace posix_daemon {

// One text's mapping. It has to be private and anonymous: /proc shows no other memory as a command line.
struct Area {
  char* start = nullptr;
  size_t size = 0;
};

static void Unmap(Area* area) {
  if (area->start != nullptr) munmap(area->start, area->size);
  *area = {};
}

// The text shown, and the one before: whoever began to read it in /proc before the switch still copies from there. It
// is unmapped at the next change. All static state belongs to the main thread.
struct Areas {
  Area shown;
  Area previous;
};
static Areas command_line;
static Areas environment;

static constexpr ShowFailure kNone = {0, "", nullptr};

// The layout that the kernel keeps of this process; constant but for what is moved here and the heap's end.
static ShowFailure ReadLayout(prctl_mm_map* map) {
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
  map->arg_start = arg_start;
  map->arg_end = arg_end;
  map->env_start = env_start;
  map->env_end = env_end;
  // No auxv, which leaves the kernel's copy of it as it is, and no other executable.
  map->exe_fd = static_cast<uint32_t>(-1);
  return kNone;
}

static ShowFailure Apply(prctl_mm_map map) {
  HeapEnd heap_end(map.start_brk);
  do {
    map.brk = heap_end.value();
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == -1) return {errno, "prctl", nullptr};
  } while (!heap_end.Holds());
  return kNone;
}

ShowFailure Show(ShownText what, const std::string& text) {
  // Read once: the program may have changed its root to a place without /proc by the next time.
  static prctl_mm_map layout;
  static bool layout_known = false;
  if (!layout_known) {
    const ShowFailure failure = ReadLayout(&layout);
    if (failure.error != 0) return failure;
    layout_known = true;
  }

  Area area;
  // A command line's last byte must be NUL. Anything else tells the kernel that an old-style program has overwritten
  // its arguments, and then it shows no more than a page.
  area.size = text.size() + 1;
  void* memory = mmap(nullptr, area.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {errno, "mmap", nullptr};
  area.start = static_cast<char*>(memory);
  memcpy(area.start, text.data(), text.size());

  prctl_mm_map moved = layout;
  const auto start = reinterpret_cast<uint64_t>(area.start);
  if (what == ShownText::kCommandLine) {
    moved.arg_start = start;
    moved.arg_end = start + area.size;
  } else {
    // An environment ends with the NUL of its last variable: there is none to add.
    moved.env_start = start;
    moved.env_end = start + text.size();
  }
  const ShowFailure failure = Apply(moved);
  if (failure.error != 0) {
    Unmap(&area);
    return failure;
  }
  layout = moved;
  Areas& areas = what == ShownText::kCommandLine ? command_line : environment;
  Unmap(&areas.previous);
  areas.previous = areas.shown;
  areas.shown = area;
  return kNone;
}

}  // namespace posix_daemon
