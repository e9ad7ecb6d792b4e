// The pipes that pipe() made. From outside they look just like libuv's own (both ends here, close-on-exec), but they
// are the user's: closefrom() closes them, and a forked child goes on sharing them with its parent.
#pragma once

#include <sys/types.h>

#include <set>

namespace posix_daemon {

// Each call takes a lock: fork() must ask before it parks the other threads, one of which may be holding it.

// Returns how many are known now, for the caller to see when it is time to forget the closed ones.
size_t RememberUserPipe(ino_t inode);
void ForgetUserPipe(ino_t inode);
bool IsUserPipe(ino_t inode);
std::set<ino_t> UserPipes();

}  // namespace posix_daemon
