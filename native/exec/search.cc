#include "search.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace posix_daemon {

// By the effective ids, as execve decides. access() goes by the real ones and is wrong in a set-user-ID program.
int CheckExecutable(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == -1) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == -1 ? errno : 0;
}

int SearchPath(const std::string& file, std::string_view directories, std::string* found) {
  int error = ENOENT;
  for (;;) {
    const size_t end = directories.find(':');
    const std::string_view directory = directories.substr(0, end);
    std::string candidate(directory.empty() ? "." : directory);
    candidate += '/';
    candidate += file;
    const int failure = CheckExecutable(candidate);
    if (failure == 0) {
      *found = std::move(candidate);
      return 0;
    }
    // As execvp: a program that may not be run is better news than none, but a later directory may have one that may.
    if (failure == EACCES) error = EACCES;
    if (end == std::string_view::npos) return error;
    directories.remove_prefix(end + 1);
  }
}

}  // namespace posix_daemon
