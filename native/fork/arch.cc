#include "arch.h"

#if defined(__x86_64__)

asm(R"(
  .text
  .p2align 4
  .globl posix_daemon_park
  .hidden posix_daemon_park
  .type posix_daemon_park, @function
posix_daemon_park:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  pushq %r12
  .cfi_adjust_cfa_offset 8
  pushq %r13
  .cfi_adjust_cfa_offset 8
  pushq %r14
  .cfi_adjust_cfa_offset 8
  pushq %r15
  .cfi_adjust_cfa_offset 8
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  movq %rsp, (%rdi)
  movq %rdx, %rdi
  callq *%rsi
  xorl %eax, %eax
.Lleave:
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  popq %r15
  .cfi_adjust_cfa_offset -8
  popq %r14
  .cfi_adjust_cfa_offset -8
  popq %r13
  .cfi_adjust_cfa_offset -8
  popq %r12
  .cfi_adjust_cfa_offset -8
  popq %rbx
  .cfi_adjust_cfa_offset -8
  popq %rbp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size posix_daemon_park, . - posix_daemon_park

  .p2align 4
  .globl posix_daemon_respawn
  .hidden posix_daemon_respawn
  .type posix_daemon_respawn, @function
posix_daemon_respawn:
  movq %rcx, %r10
  movl $56, %eax
  syscall
  testq %rax, %rax
  jz 1f
  ret
1:
  movl $1, %eax
  jmp .Lleave
  .size posix_daemon_respawn, . - posix_daemon_respawn

  .p2align 4
  .globl posix_daemon_sigreturn
  .hidden posix_daemon_sigreturn
  .type posix_daemon_sigreturn, @function
posix_daemon_sigreturn:
  movq $15, %rax
  syscall
  .size posix_daemon_sigreturn, . - posix_daemon_sigreturn
)");

#else

// The kernel takes tls before child_tid here, the other way round than on x86-64.
asm(R"(
  .text
  .p2align 4
  .globl posix_daemon_park
  .hidden posix_daemon_park
  .type posix_daemon_park, %function
posix_daemon_park:
  .cfi_startproc
  stp x29, x30, [sp, #-160]!
  .cfi_def_cfa_offset 160
  .cfi_offset 29, -160
  .cfi_offset 30, -152
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x3, sp
  str x3, [x0]
  mov x0, x2
  blr x1
  mov x0, #0
.Lleave:
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x29, x30, [sp], #160
  .cfi_def_cfa_offset 0
  .cfi_restore 29
  .cfi_restore 30
  ret
  .cfi_endproc
  .size posix_daemon_park, . - posix_daemon_park

  .p2align 4
  .globl posix_daemon_respawn
  .hidden posix_daemon_respawn
  .type posix_daemon_respawn, %function
posix_daemon_respawn:
  mov x5, x3
  mov x3, x4
  mov x4, x5
  mov x8, #220
  svc #0
  cbz x0, 1f
  ret
1:
  mov x0, #1
  b .Lleave
  .size posix_daemon_respawn, . - posix_daemon_respawn

  .p2align 4
  .globl posix_daemon_sigreturn
  .hidden posix_daemon_sigreturn
  .type posix_daemon_sigreturn, %function
posix_daemon_sigreturn:
  mov x8, #139
  svc #0
  .size posix_daemon_sigreturn, . - posix_daemon_sigreturn
)");

#endif
