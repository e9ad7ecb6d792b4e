// Included in front of every file by binding.gyp: keeps an addon built with a new glibc loadable with glibc 2.28.
//
// glibc 2.32 and 2.34 moved libpthread and libdl into libc and gave each of their functions a second, new version,
// which the linker takes; the old one is still there and is the same code. POSIX_DAEMON_PIN asks for the old one. A pin
// of something that a file doesn't use leaves no trace in it. What has no old version is defined in libc_compat.cc.
// Which symbols matter is found by scripts/check-glibc.mjs, which also names the version to put here.
#pragma once

#include <features.h>

#ifdef __GLIBC__

#ifdef __x86_64__
#define POSIX_DAEMON_PIN(symbol, x64_version) __asm__(".symver " #symbol ", " #symbol "@GLIBC_" x64_version)
#elif defined(__aarch64__)
// The first glibc for this machine: what is older elsewhere has this version here.
#define POSIX_DAEMON_PIN(symbol, x64_version) __asm__(".symver " #symbol ", " #symbol "@GLIBC_2.17")
#endif

#ifdef POSIX_DAEMON_PIN
#if __GLIBC_PREREQ(2, 32)
POSIX_DAEMON_PIN(pthread_getattr_np, "2.2.5");
POSIX_DAEMON_PIN(pthread_sigmask, "2.2.5");
#endif
#if __GLIBC_PREREQ(2, 34)
POSIX_DAEMON_PIN(dladdr, "2.2.5");
POSIX_DAEMON_PIN(dladdr1, "2.3.3");
POSIX_DAEMON_PIN(dlsym, "2.2.5");
POSIX_DAEMON_PIN(pthread_create, "2.2.5");
POSIX_DAEMON_PIN(pthread_detach, "2.2.5");
POSIX_DAEMON_PIN(pthread_getname_np, "2.12");
POSIX_DAEMON_PIN(pthread_join, "2.2.5");
POSIX_DAEMON_PIN(pthread_kill, "2.2.5");
POSIX_DAEMON_PIN(pthread_mutex_trylock, "2.2.5");
POSIX_DAEMON_PIN(pthread_once, "2.2.5");
POSIX_DAEMON_PIN(pthread_setname_np, "2.12");
#endif
#undef POSIX_DAEMON_PIN
#endif  // POSIX_DAEMON_PIN

#endif  // __GLIBC__
