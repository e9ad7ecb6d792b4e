// Lets a program that was linked with a new glibc start with an old one. glibc 2.34 gave the function that calls main()
// a second version, for programs without the two hooks that it took before; the startup code refers to that one, and no
// pin reaches into it. Linked with --wrap, it calls this instead, which calls the old version: that takes null hooks.
#include <features.h>

extern "C" {

using Main = int(int, char**, char**);
using Hook = void();

#ifdef __GLIBC__
#ifdef __x86_64__
__asm__(".symver StartMain, __libc_start_main@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver StartMain, __libc_start_main@GLIBC_2.17");
#endif
int StartMain(Main* main, int argc, char** argv, Hook* init, Hook* fini, Hook* loader_fini, void* stack_end);
#else
int StartMain(Main* main, int argc, char** argv, Hook* init, Hook* fini, Hook* loader_fini,
              void* stack_end) __asm__("__real___libc_start_main");
#endif

int WrappedStartMain(Main* main, int argc, char** argv, Hook* init, Hook* fini, Hook* loader_fini,
                     void* stack_end) __asm__("__wrap___libc_start_main");

int WrappedStartMain(Main* main, int argc, char** argv, Hook* init, Hook* fini, Hook* loader_fini, void* stack_end) {
  return StartMain(main, argc, argv, init, fini, loader_fini, stack_end);
}

}  // extern "C"
