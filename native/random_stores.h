// Random bytes that a thread's node:crypto keeps in store: in a forked process they are its parent's.
#pragma once

namespace posix_daemon {

// Fills those of all Workers that have registered theirs. In the child, before a Worker's thread runs; takes no lock.
void RenewRandomStores();

}  // namespace posix_daemon
