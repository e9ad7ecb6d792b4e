#include "mappings.h"

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
  mapping->hinted = false;
  mapping->excluded = false;
  mapping->start = start;
  mapping->end = end;
  mapping->kind = KindOf(p, mapping->inode, mapping->shared);
  return true;
}

bool MapsTopDown() {
  // The C library's own code shows it: the loader asked for no address.
  static const bool top_down = reinterpret_cast<uintptr_t>(&getpid) >= kHintedMappingsEnd;
  return top_down;
}

static void FindHinted(RawVector<Mapping>* mappings) {
  // Otherwise the kernel's addresses are among those that V8 asks for, and an address says nothing.
  if (!MapsTopDown()) return;
  // A program that isn't position-independent lies at the bottom, its zeroed data (anonymous as well) and brk's heap
  // behind it.
  uintptr_t program_end = 0;
  for (const Mapping& mapping : *mappings) {
    const bool of_program = mapping.kind == MappingKind::kFile || mapping.kind == MappingKind::kHeap;
    if (of_program && mapping.end <= kHintedMappingsEnd) program_end = mapping.end;
  }
  // Without a heap, the zeroed data is what follows the file without a gap.
  for (Mapping& mapping : *mappings) {
    if (mapping.kind == MappingKind::kAnonymous && mapping.start == program_end) program_end = mapping.end;
    mapping.hinted = mapping.kind == MappingKind::kAnonymous && mapping.start >= program_end &&
                     mapping.end <= kHintedMappingsEnd && mapping.readable;
  }
}

int ReadMappings(RawVector<Mapping>* mappings) {
  mappings->Clear();
  const bool read = EachLine(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), [&](const char* line) {
    Mapping mapping;
    if (ParseMapping(line, &mapping)) mappings->Push(mapping);
  });
  if (!read) return errno;
  if (!mappings->ok()) return ENOMEM;
  FindHinted(mappings);
  return 0;
}

}  // namespace posix_daemon
