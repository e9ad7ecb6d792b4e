#include "mappings.h"

#include <algorithm>

#include "arch.h"

namespace posix_daemon {

static MappingKind KindOf(const char* name, uint64_t inode, bool shared) {
  if (inode != 0 || shared)
    return strcmp(name, "anon_inode:[io_uring]") == 0 ? MappingKind::kIoUring : MappingKind::kFile;
  if (*name == '\0' || strncmp(name, "[anon:", 6) == 0) return MappingKind::kAnonymous;
  if (strcmp(name, "[heap]") == 0) return MappingKind::kHeap;
  if (strcmp(name, "[stack]") == 0) return MappingKind::kStack;
  return MappingKind::kKernel;
}

// 7fd9c8003000-7fd9c803f000 rwxp 00000000 00:00 0          [name]
static bool ParseMapping(const char* line, Mapping* mapping) {
  uint64_t start;
  uint64_t end;
  uint64_t device;
  const char* p = line;
  if (!ParseNumber(&p, 16, &start) || *p++ != '-' || !ParseNumber(&p, 16, &end) || *p++ != ' ') return false;
  mapping->readable = p[0] == 'r';
  mapping->writable = p[1] == 'w';
  mapping->executable = p[2] == 'x';
  mapping->shared = p[3] == 's';
  p += 5;
  if (!ParseNumber(&p, 16, &mapping->offset) || *p++ != ' ') return false;
  if (!ParseNumber(&p, 16, &device) || *p++ != ':' || !ParseNumber(&p, 16, &device) || *p++ != ' ') return false;
  if (!ParseNumber(&p, 10, &mapping->inode)) return false;
  while (*p == ' ') p++;
  mapping->start = start;
  mapping->end = end;
  mapping->kind = KindOf(p, mapping->inode, mapping->shared);
  return true;
}

bool MapsTopDown() {
  // The C library's own code shows it: the loader asked for no address.
  static const bool top_down = reinterpret_cast<uintptr_t>(&getpid) >= kMiddleOfAddresses;
  return top_down;
}

int ReadMappings(RawVector<Mapping>* mappings) {
  mappings->Clear();
  const bool read = EachLine(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), [&](const char* line) {
    Mapping mapping;
    if (ParseMapping(line, &mapping)) mappings->Push(mapping);
  });
  if (!read) return errno;
  if (!mappings->ok()) return ENOMEM;
  return 0;
}

const Mapping* MappingFrom(const RawVector<Mapping>& mappings, uintptr_t address) {
  const Mapping* found = std::upper_bound(mappings.begin(), mappings.end(), address,
                                          [](uintptr_t at, const Mapping& mapping) { return at < mapping.end; });
  return found == mappings.end() ? nullptr : found;
}

}  // namespace posix_daemon
