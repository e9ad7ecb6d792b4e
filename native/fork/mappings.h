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

  size_t size() const { return end - start; }
};

// Reads all mappings, in order of address. 0 or an errno.
int ReadMappings(RawVector<Mapping>* mappings);

// The first mapping that ends above the address, which needn't lie in it; nullptr if there is none.
const Mapping* MappingFrom(const RawVector<Mapping>& mappings, uintptr_t address);

// Whether the kernel gives out addresses from high to low, as it does unless `ulimit -s unlimited` is in force.
bool MapsTopDown();

}  // namespace posix_daemon
