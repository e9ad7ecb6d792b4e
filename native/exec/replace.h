#pragma once

#include <string>
#include <vector>

#include "plan.h"

namespace posix_daemon {

struct ReplaceFailure {
  int error;
  // The file it is about.
  const char* path;
};

// Replaces the process by the program at `path`, with the descriptors 0 to 2 and `kept` (ascending, each open) alone.
// Returns only when that failed, with the process as it was before.
ReplaceFailure Replace(const std::string& path, const CStrings& argv, const CStrings& env,
                       const std::vector<int>& kept);

}  // namespace posix_daemon
