#include "title.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "text.h"

namespace posix_daemon {

namespace {

// The kernel lays the arguments out one behind the other.
char* EndOf(int argc, char** argv) { return argv[argc - 1] + strlen(argv[argc - 1]) + 1; }

// Where the arguments were.
char* area = nullptr;
size_t area_size = 0;

}  // namespace

char** CopyArguments(int argc, char** argv) {
  const size_t size = EndOf(argc, argv) - argv[0];
  // The pointers first, then what they point to.
  const size_t table = (argc + 1) * sizeof(char*);
  auto** const pointers = static_cast<char**>(malloc(table + size));
  if (pointers == nullptr) return nullptr;
  auto* const text = reinterpret_cast<char*>(pointers) + table;
  memcpy(text, argv[0], size);
  for (int i = 0; i < argc; i++) pointers[i] = text + (argv[i] - argv[0]);
  pointers[argc] = nullptr;
  area = argv[0];
  area_size = size;
  return pointers;
}

// A last byte that isn't NUL tells the kernel that this is a title: it then shows the text up to the first NUL, not the
// whole area with all the NULs in it.
static void EndTitle(size_t length) {
  memset(area + length, 0, area_size - length - 1);
  area[area_size - 1] = '.';
}

void ShowTitle(const char* name, const char* suffix) {
  if (name == nullptr) return;
  prctl(PR_SET_NAME, "posix-daemon");
  const Text<4096> title("posix-daemon: %s%s", name, suffix);
  const size_t length = std::min(title.size(), area_size - 2);
  memcpy(area, title.c_str(), length);
  EndTitle(length);
}

void ShowFirstArgument() { EndTitle(strlen(area)); }

}  // namespace posix_daemon
