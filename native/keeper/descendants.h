#pragma once

#include <sys/types.h>

#include <cstddef>

namespace posix_daemon {

// Those that haven't been reaped; of very many, some.
int CountChildren();

// Kills the children that aren't kept; how many could be.
size_t KillChildrenBut(bool (*is_kept)(pid_t child, const void* context), const void* context);

// Kills whatever descends from this process, which is a subreaper, and reaps it, until nothing is left: what has left
// its session, forked twice, is stopped or ignores signals as well. Not what has become another user's by executing a
// set-user-ID program and changing its real id too.
void KillDescendants();

}  // namespace posix_daemon
