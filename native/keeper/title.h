#pragma once

namespace posix_daemon {

// A copy of the arguments, so that the originals may be overwritten; null when there is no memory.
char** CopyArguments(int argc, char** argv);

// Has ps show `posix-daemon: NAME`, with `suffix`, in place of the arguments that were copied, cut to their length.
// Does nothing without a name.
void ShowTitle(const char* name, const char* suffix);

// Has ps show the first argument only.
void ShowFirstArgument();

}  // namespace posix_daemon
