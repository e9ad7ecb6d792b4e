// Own definitions of what newer C and C++ libraries make the compiler refer to and glibc 2.28 does not have in any
// version (libc_compat.h pins the rest). Each has the library's linker name and hidden visibility: it serves this addon
// alone, and no reference to the library is left.
#include <features.h>

#ifdef __GLIBC__

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#define LINKER_NAME(name) __asm__(name) __attribute__((visibility("hidden")))

namespace posix_daemon {

// glibc 2.33 made functions of these; before, they were inline calls of __xstat and the like. On 64-bit machines the
// kernel's struct stat is the C library's.
extern "C" int Stat64(const char* path, struct stat* result) LINKER_NAME("stat64");
extern "C" int Lstat64(const char* path, struct stat* result) LINKER_NAME("lstat64");
extern "C" int Fstat64(int descriptor, struct stat* result) LINKER_NAME("fstat64");
extern "C" int Fstatat64(int folder, const char* path, struct stat* result, int flags) LINKER_NAME("fstatat64");

static_assert(sizeof(void*) == 8, "the C library's struct stat is the kernel's on 64-bit machines only");

int Stat64(const char* path, struct stat* result) { return Fstatat64(AT_FDCWD, path, result, 0); }

int Lstat64(const char* path, struct stat* result) { return Fstatat64(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW); }

int Fstat64(int descriptor, struct stat* result) { return static_cast<int>(syscall(SYS_fstat, descriptor, result)); }

int Fstatat64(int folder, const char* path, struct stat* result, int flags) {
  return static_cast<int>(syscall(SYS_newfstatat, folder, path, result, flags));
}

// glibc 2.32: std::shared_ptr and other headers of GCC 11 and later read it to leave out atomic operations. 0, "there
// may be threads", is always right, and always so in Node.
extern "C" char single_threaded LINKER_NAME("__libc_single_threaded");
char single_threaded = 0;

// GLIBCXX 3.4.29: what new[] and std::vector call when a size overflows, from GCC 11 on. Without exceptions the older
// functions of this kind end the process as well.
extern "C" [[noreturn]] void ThrowBadArrayNewLength() LINKER_NAME("_ZSt28__throw_bad_array_new_lengthv");
void ThrowBadArrayNewLength() { abort(); }

}  // namespace posix_daemon

#endif  // __GLIBC__
