#pragma once

#include <string>
#include <string_view>

namespace posix_daemon {

// The errno with which execve would refuse the file at `path`, as far as its permissions tell; 0 when they allow it.
int CheckExecutable(const std::string& path);

// Finds `file` in a PATH; an empty entry is the working directory. Answers 0, ENOENT or EACCES.
int SearchPath(const std::string& file, std::string_view directories, std::string* found);

}  // namespace posix_daemon
