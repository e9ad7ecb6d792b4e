// glibc has no call to ask for them. They stand in a list of its own, which is found by two entries of ours: the list
// whose last two elements they are. Where it isn't found so, no handler is called.
#include "atfork_handlers.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace posix_daemon {

using Entry = AtforkHandlers::Entry;

namespace {

// glibc's dynarray. Since 2.36 its elements have a number behind what an Entry has.
struct List {
  size_t used;
  size_t allocated;
  const char* array;

  bool operator==(const List& other) const {
    return used == other.used && allocated == other.allocated && array == other.array;
  }
};
constexpr size_t kStrides[] = {sizeof(Entry), sizeof(Entry) + sizeof(uint64_t)};
constexpr size_t kMaxHandlers = 4096;

const List* list;
size_t stride;

void Nothing1() {}
void Nothing2() {}
constexpr Entry kOwn[] = {{Nothing1, Nothing2, Nothing1, nullptr}, {Nothing2, Nothing1, Nothing2, nullptr}};

// By a system call: what looks like a list may be none, and another thread may free the array.
bool Read(const char* from, void* to, size_t size) {
  const iovec local = {to, size};
  const iovec remote = {const_cast<char*>(from), size};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

bool Same(const Entry& a, const Entry& b) {
  return a.prepare == b.prepare && a.parent == b.parent && a.child == b.child;
}

// The distance of the elements, if this is the list; otherwise 0.
size_t StrideOf(const List& candidate) {
  if (candidate.used < 2 || candidate.used > candidate.allocated || candidate.allocated > kMaxHandlers) return 0;
  for (const size_t distance : kStrides) {
    Entry last[2];
    const char* end = candidate.array + candidate.used * distance;
    if (Read(end - 2 * distance, &last[0], sizeof(Entry)) && Read(end - distance, &last[1], sizeof(Entry)) &&
        Same(last[0], kOwn[0]) && Same(last[1], kOwn[1])) {
      return distance;
    }
  }
  return 0;
}

// In the data of the C library.
int SearchModule(dl_phdr_info* module, size_t, void* of_libc) {
  const auto inside = reinterpret_cast<uintptr_t>(of_libc);
  bool libc = false;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    const uintptr_t start = module->dlpi_addr + segment.p_vaddr;
    libc = libc || (segment.p_type == PT_LOAD && inside >= start && inside < start + segment.p_memsz);
  }
  if (!libc) return 0;
  int found = 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
    const uintptr_t start = (module->dlpi_addr + segment.p_vaddr + alignof(List) - 1) & ~(alignof(List) - 1);
    const uintptr_t end = module->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    for (uintptr_t at = start; at + sizeof(List) <= end; at += alignof(List)) {
      const size_t distance = StrideOf(*reinterpret_cast<const List*>(at));
      if (distance == 0) continue;
      list = reinterpret_cast<const List*>(at);
      stride = distance;
      found++;
    }
  }
  if (found != 1) list = nullptr;
  return 1;
}

void FindList() {
  for (const Entry& own : kOwn) {
    if (pthread_atfork(own.prepare, own.parent, own.child) != 0) return;
  }
  void* of_libc = dlsym(RTLD_DEFAULT, "__register_atfork");
  if (of_libc != nullptr) dl_iterate_phdr(SearchModule, of_libc);
}

const void* ModuleOf(const void* address) {
  Dl_info info;
  return address != nullptr && dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

// Those whose handlers would harm, because the threads that they believe gone are there: libuv's make the pool and the
// signal pipe anew, an allocator's begin its arenas anew. Their state is whole in the child as it is.
bool IsLeftOut(const void* module) {
  static const std::vector<const void*> left_out = [] {
    std::vector<const void*> modules = {nullptr, ModuleOf(reinterpret_cast<const void*>(&Nothing1)),
                                        ModuleOf(reinterpret_cast<const void*>(getauxval(AT_PHDR)))};
    for (const char* symbol : {"__register_atfork", "malloc", "uv_default_loop", "napi_create_function"}) {
      modules.push_back(ModuleOf(dlsym(RTLD_DEFAULT, symbol)));
    }
    return modules;
  }();
  for (const void* other : left_out) {
    if (module == other) return true;
  }
  return false;
}

struct Search {
  const void* module;
  bool found;
};

int SearchText(dl_phdr_info* module, size_t, void* search) {
  auto* const wanted = static_cast<Search*>(search);
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & (PF_R | PF_W)) != PF_R) continue;
    const auto* start = reinterpret_cast<const void*>(module->dlpi_addr + segment.p_vaddr);
    if (ModuleOf(start) != wanted->module) return 0;
    // With which each of its messages begins.
    constexpr char kMark[] = "<jemalloc>";
    wanted->found = wanted->found || memmem(start, segment.p_filesz, kMark, sizeof kMark - 1) != nullptr;
  }
  return 0;
}

// An addon may have an allocator of its own in it. Of those in use only jemalloc has handlers.
bool HasAllocator(const void* module) {
  static std::vector<Search> known;
  for (const Search& search : known) {
    if (search.module == module) return search.found;
  }
  Search search = {module, false};
  dl_iterate_phdr(SearchText, &search);
  known.push_back(search);
  return search.found;
}

bool IsToBeCalled(const Entry& entry) {
  const void* module = ModuleOf(entry.dso_handle);
  if (IsLeftOut(module)) return false;
  for (void (*handler)() : {entry.prepare, entry.parent, entry.child}) {
    if (handler != nullptr && IsLeftOut(ModuleOf(reinterpret_cast<const void*>(handler)))) return false;
  }
  return entry.prepare == nullptr || !HasAllocator(module);
}

// As it is between two changes by other threads; with an array of `capacity` elements there may be more.
size_t Snapshot(Entry* entries, size_t capacity) {
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    List before;
    List after;
    if (!Read(reinterpret_cast<const char*>(list), &before, sizeof before)) return 0;
    bool read = before.used <= kMaxHandlers;
    for (size_t i = 0; read && i < before.used && i < capacity; i++) {
      read = Read(before.array + i * stride, &entries[i], sizeof entries[i]);
    }
    if (read && Read(reinterpret_cast<const char*>(list), &after, sizeof after) && before == after) return before.used;
  }
  return 0;
}

}  // namespace

AtforkHandlers::AtforkHandlers() {
  static const bool looked = (FindList(), true);
  if (!looked || list == nullptr) return;
  std::vector<Entry> entries(64);
  size_t used;
  while ((used = Snapshot(entries.data(), entries.size())) > entries.size()) entries.resize(used);
  entries.resize(used);
  for (const Entry& entry : entries) {
    if (IsToBeCalled(entry)) prepared_.push_back(entry);
  }
  for (size_t i = prepared_.size(); i-- > 0;) {
    if (prepared_[i].prepare != nullptr) prepared_[i].prepare();
  }
}

void AtforkHandlers::CallAll(void (*Entry::*handler)()) const {
  // On the stack, because a handler that was prepared may have locked what an allocation needs.
  Entry present[256];
  const size_t used = prepared_.empty() ? 0 : Snapshot(present, 256);
  for (const Entry& entry : prepared_) {
    // Its library may have been unloaded by another thread.
    bool there = used > 256;
    for (size_t i = 0; i < used && i < 256; i++) {
      there = there || (Same(present[i], entry) && present[i].dso_handle == entry.dso_handle);
    }
    if (there && entry.*handler != nullptr) (entry.*handler)();
  }
}

}  // namespace posix_daemon
