#pragma once

namespace posix_daemon {

// Kills whatever descends from this process, which is a subreaper, and reaps it, until nothing is left: what has left
// its session, forked twice, is stopped or ignores signals as well. Not what has become another user's by executing a
// set-user-ID program and changing its real id too.
void KillDescendants();

}  // namespace posix_daemon
