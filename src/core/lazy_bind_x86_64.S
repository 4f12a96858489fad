// prismvid_lazy_bind: what a lazy function jumps to when it is called first, with its slot in r11. Has the slot filled and goes on to
// the function; nothing that carries an argument (also of functions with "...") changes on the way.
  .text
  .globl prismvid_lazy_bind
  .hidden prismvid_lazy_bind
  .type prismvid_lazy_bind, @function
prismvid_lazy_bind:
  .cfi_startproc
  push %rdi
  push %rsi
  push %rdx
  push %rcx
  push %r8
  push %r9
  push %rax
  sub $128, %rsp
  .cfi_adjust_cfa_offset 184
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
  mov %r11, %rdi
  call prismvid_fill_lazy_slot
  mov %rax, %r11
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  add $128, %rsp
  pop %rax
  pop %r9
  pop %r8
  pop %rcx
  pop %rdx
  pop %rsi
  pop %rdi
  .cfi_adjust_cfa_offset -184
  jmp *%r11
  .cfi_endproc
  .size prismvid_lazy_bind, . - prismvid_lazy_bind
  .section .note.GNU-stack, "", @progbits
