#pragma once

#include "options.h"

namespace posix_daemon {

// Opens a log for appending, and creates it where there is none. -1 with errno: EINVAL for what is neither a regular
// file nor a character device.
int OpenLog(const char* path, const LogOptions& options);

// PATH to PATH.1, PATH.1 to PATH.2 and so on, PATH.BACKUPS away. An errno; PATH is still there then.
int ShiftBackups(const char* path, unsigned backups);

// The opposite of its last step, for when there is no new PATH to be had.
void UnshiftFirstBackup(const char* path);

}  // namespace posix_daemon
