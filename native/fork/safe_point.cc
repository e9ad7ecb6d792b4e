#include "safe_point.h"

#include <dlfcn.h>
#include <link.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "arch.h"

namespace posix_daemon {

struct TextRange {
  uintptr_t start;
  uintptr_t end;

  bool Contains(uintptr_t address) const { return address >= start && address < end; }
};

// libc, libpthread (a library of its own before glibc 2.34), the loader and the vDSO.
static TextRange libc_text[8];
static int libc_text_count;

static TextRange id_calls[9];
static int id_call_count;

static bool IsLibc(const char* path) {
  const char* slash = strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  for (const char* prefix : {"libc.so.", "libc-", "libpthread", "ld-linux", "ld-2", "linux-vdso", "linux-gate"}) {
    if (strncmp(name, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

static int VisitModule(dl_phdr_info* module, size_t, void*) {
  if (!IsLibc(module->dlpi_name)) return 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || libc_text_count == 8) continue;
    const uintptr_t start = module->dlpi_addr + segment.p_vaddr;
    libc_text[libc_text_count++] = {start, start + segment.p_memsz};
  }
  return 0;
}

void LearnLibcText() {
  if (libc_text_count != 0) return;
  dl_iterate_phdr(VisitModule, nullptr);
  for (const char* name :
       {"setuid", "setgid", "seteuid", "setegid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups"}) {
    Dl_info info;
    void* entry = nullptr;
    void* call = dlsym(RTLD_DEFAULT, name);
    if (call == nullptr || dladdr1(call, &info, &entry, RTLD_DL_SYMENT) == 0) continue;
    const auto start = reinterpret_cast<uintptr_t>(call);
    const auto* symbol = static_cast<const ElfW(Sym)*>(entry);
    if (symbol != nullptr) id_calls[id_call_count++] = {start, start + symbol->st_size};
  }
}

bool InLibcText(uintptr_t address) {
  for (int i = 0; i < libc_text_count; i++) {
    if (libc_text[i].Contains(address)) return true;
  }
  return false;
}

// What the C library's own functions have on the stack when they sleep.
constexpr uintptr_t kInnermostFrames = 256;

static bool TidIsInSight(const ucontext_t* context, pid_t tid) {
  bool found = false;
  EachRegister(context, [&](uint64_t value) { found = found || value == static_cast<uint64_t>(tid); });
  const auto* word = reinterpret_cast<const pid_t*>(StackPointer(context) - kRedZone);
  const auto* end = reinterpret_cast<const pid_t*>(StackPointer(context) + kInnermostFrames);
  for (; !found && word < end; word++) found = *word == tid;
  return found;
}

bool AtSafePoint(const ucontext_t* context, pid_t tid) {
  const uintptr_t ip = InstructionPointer(context);
  // In a call that the kernel will repeat (SA_RESTART): it has moved the thread back onto the instruction. Or just
  // before a call, which is as good, unless the thread is about to send itself a signal by its tid.
  if (IsSyscallInstruction(ip)) return SyscallToMake(context) != __NR_tgkill;
  // After a call with a time-out (epoll_wait, a timed futex), which isn't repeated.
  if (ReturnValue(context) == -EINTR && IsSyscallInstruction(ip - kSyscallInstructionSize)) return true;
  return !InLibcText(ip) || !TidIsInSight(context, tid);
}

bool ChangesIdsOfAllThreads(const ucontext_t* context) {
  const uintptr_t ip = InstructionPointer(context);
  if (!InLibcText(ip)) return false;
  const uintptr_t start = StackPointer(context);
  // What it waits on lies in its own frame. Any other futex is somebody's who slept on stale return addresses.
  if (IsSyscallInstruction(ip) && SyscallToMake(context) == __NR_futex &&
      FirstArgument(context) - start >= kInnermostFrames) {
    return false;
  }
  for (uintptr_t at = start; at < start + kInnermostFrames; at += sizeof(uintptr_t)) {
    const auto word = *reinterpret_cast<const uintptr_t*>(at);
    for (int i = 0; i < id_call_count; i++) {
      if (id_calls[i].Contains(word)) return true;
    }
  }
  return false;
}

}  // namespace posix_daemon
