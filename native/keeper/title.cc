#include "title.h"

#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace posix_daemon {

namespace {

// The kernel lays the arguments out one behind the other.
char* EndOf(int argc, char** argv) { return argv[argc - 1] + strlen(argv[argc - 1]) + 1; }

}  // namespace

char** CopyArguments(int argc, char** argv) {
  const size_t size = EndOf(argc, argv) - argv[0];
  auto** const pointers = static_cast<char**>(calloc(argc + 1, sizeof(char*)));
  auto* const text = static_cast<char*>(malloc(size));
  if (pointers == nullptr || text == nullptr) return nullptr;
  memcpy(text, argv[0], size);
  for (int i = 0; i < argc; i++) pointers[i] = text + (argv[i] - argv[0]);
  return pointers;
}

void ShowTitle(int argc, char** argv, const char* name, const char* suffix) {
  prctl(PR_SET_NAME, "posix-daemon");
  char* const start = argv[0];
  const size_t size = EndOf(argc, argv) - start;
  memset(start, 0, size);
  snprintf(start, size - 1, "posix-daemon: %s%s", name, suffix);
  // A last byte that isn't NUL tells the kernel that this is a title: it then shows the text up to the first NUL, not
  // the whole area with all the NULs in it.
  start[size - 1] = '.';
}

}  // namespace posix_daemon
