// What live fork needs to know of the processor: how a parked thread is left and entered again, and how to read the
// registers that a signal saved. x86-64 and arm64.
#pragma once

#include <asm/unistd.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "live fork is written for x86-64 and arm64"
#endif

extern "C" {

// Saves the callee-saved registers on the caller's stack, stores that stack pointer in *sp, calls wait(argument) and
// returns 0. A thread that RespawnThread starts at the same stack pointer, in another process, returns 1 from here.
//
// Not setjmp and longjmp: those mangle pointers with a per-process secret, fortify checks object to a jump to "another"
// stack, and the new thread would need a stack of its own to jump from, which then has to be freed under its feet.
__attribute__((visibility("hidden"))) long posix_daemon_park(void** sp, void (*wait)(void*), void* argument);

// clone(2) for a thread that continues at the stack pointer posix_daemon_park saved. Returns the new tid, or a negative
// errno; in the new thread it doesn't return: posix_daemon_park does.
__attribute__((visibility("hidden"))) long posix_daemon_respawn(unsigned long flags, void* sp, int* parent_tid,
                                                                int* child_tid, void* tls);

// The kernel calls this when a signal handler returns; installed with the raw rt_sigaction, which takes it from us.
__attribute__((visibility("hidden"))) void posix_daemon_sigreturn(void);

}  // extern "C"

namespace posix_daemon {

#if defined(__x86_64__)

// The kernel gives out addresses above this from high to low, below it from low to high.
constexpr uintptr_t kMiddleOfAddresses = 0x400000000000;
constexpr uint32_t kRseqSignature = 0x53053053;
// What a function may use below its stack pointer.
constexpr uintptr_t kRedZone = 128;

inline uintptr_t InstructionPointer(const ucontext_t* c) { return c->uc_mcontext.gregs[REG_RIP]; }
inline uintptr_t StackPointer(const ucontext_t* c) { return c->uc_mcontext.gregs[REG_RSP]; }
inline uintptr_t FirstArgument(const ucontext_t* c) { return c->uc_mcontext.gregs[REG_RDI]; }

inline bool IsSyscallInstruction(uintptr_t address) {
  const auto* code = reinterpret_cast<const uint8_t*>(address);
  return code[0] == 0x0f && code[1] == 0x05;
}
constexpr int kSyscallInstructionSize = 2;

// Where the interrupted code is about to make (or, restarted by the kernel, to repeat) a system call: its number.
inline long SyscallToMake(const ucontext_t* c) { return c->uc_mcontext.gregs[REG_RAX]; }
inline long ReturnValue(const ucontext_t* c) { return c->uc_mcontext.gregs[REG_RAX]; }

// The general registers, without those that only hold addresses of code and stack.
template <typename Visit>
void EachRegister(const ucontext_t* c, Visit visit) {
  for (int i = REG_R8; i <= REG_RCX; i++) visit(static_cast<uint64_t>(c->uc_mcontext.gregs[i]));
}

#else

constexpr uintptr_t kMiddleOfAddresses = 0x4000000000;
constexpr uint32_t kRseqSignature = 0xd428bc00;
constexpr uintptr_t kRedZone = 0;

inline uintptr_t InstructionPointer(const ucontext_t* c) { return c->uc_mcontext.pc; }
inline uintptr_t StackPointer(const ucontext_t* c) { return c->uc_mcontext.sp; }
inline uintptr_t FirstArgument(const ucontext_t* c) { return c->uc_mcontext.regs[0]; }

inline bool IsSyscallInstruction(uintptr_t address) {
  return *reinterpret_cast<const uint32_t*>(address) == 0xd4000001;
}
constexpr int kSyscallInstructionSize = 4;

inline long SyscallToMake(const ucontext_t* c) { return static_cast<long>(c->uc_mcontext.regs[8]); }
inline long ReturnValue(const ucontext_t* c) { return static_cast<long>(c->uc_mcontext.regs[0]); }

template <typename Visit>
void EachRegister(const ucontext_t* c, Visit visit) {
  for (const uint64_t value : c->uc_mcontext.regs) visit(value);
}

#endif

}  // namespace posix_daemon
