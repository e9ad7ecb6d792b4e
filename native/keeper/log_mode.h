#pragma once

#include "options.h"

namespace posix_daemon {

// Logs what comes out of the pipes that it was handed, until nobody can write to them any more. The exit code.
int RunLogMode(const Options& options);

}  // namespace posix_daemon
