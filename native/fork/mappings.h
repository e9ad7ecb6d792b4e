// The process's memory, as /proc/self/maps lists it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "raw.h"

namespace posix_daemon {

enum class MappingKind : uint8_t {
  kAnonymous,  // private, of no file: malloc's arenas and large blocks, thread stacks, V8's heap
  kFile,       // of a file, or shared
  kHeap,       // brk's
  kStack,      // the main thread's
  kKernel,     // [vdso], [vvar] and the like
  kIoUring,
};

struct Mapping {
  uintptr_t start;
  uintptr_t end;
  uint64_t offset;
  uint64_t inode;
  MappingKind kind;
  bool readable;
  bool writable;
  bool executable;
  bool shared;
  // Memory of V8's heap, by where it lies: V8 asks for random addresses, where the kernel by itself puts nothing. Not
  // its reservations there (no access): it has those of both kinds, in forks and out of them.
  bool hinted;
  bool excluded;  // from forks, by V8; Memory::Include finds out

  size_t size() const { return end - start; }
};

// Reads all mappings, in order of address. 0 or an errno.
int ReadMappings(RawVector<Mapping>* mappings);

// Whether the kernel gives out addresses from high to low, as it does unless `ulimit -s unlimited` is in force.
bool MapsTopDown();

}  // namespace posix_daemon
